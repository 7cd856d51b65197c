// Package page is the operator's page: one HTML document that shows what
// /api/events tells of each second, and a live feed of records over the
// workers' WebSocket port.
//
// The document is whole: style and scripts are inside, nothing is loaded from
// elsewhere, and the policy that it is served with lets nothing else run. What
// records carry is hostile, so it reaches the document as text only.
//
// The package has no goroutine, no lock and no state.
package page
