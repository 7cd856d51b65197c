package event

// MaxSlots is the most workers that one supervisor runs: the width of the
// slot in an owner word, less the value that means nobody.
const MaxSlots = 128

const noSlot = 0xff

// Owner says who consumes a partition: slot and generation of a worker, and
// the term, which grows by one at each change. The zero Term means that the
// partition never had an owner.
type Owner struct {
	Term       uint32
	Slot       int    // Nobody, or 0 to MaxSlots-1
	Generation uint32 // 24 bits
}

// Nobody is the Slot of a partition that no worker owns.
const Nobody = -1

// Word packs the owner into the 64 bits that are stored atomically:
// term (32) | slot (8) | generation (24).
func (o Owner) Word() uint64 {
	slot := uint64(noSlot)
	if o.Slot >= 0 && o.Slot < MaxSlots {
		slot = uint64(o.Slot)
	}
	return uint64(o.Term)<<32 | slot<<24 | uint64(o.Generation&0xffffff)
}

// OwnerOf unpacks a word made by Word; a slot out of bounds reads as Nobody.
func OwnerOf(word uint64) Owner {
	o := Owner{Term: uint32(word >> 32), Slot: int(word >> 24 & 0xff), Generation: uint32(word & 0xffffff)}
	if o.Slot >= MaxSlots {
		o.Slot = Nobody
	}
	return o
}

// Is tells whether the word names this incarnation of this slot.
func (o Owner) Is(slot int, generation uint32) bool {
	return o.Slot == slot && o.Generation == generation&0xffffff
}
