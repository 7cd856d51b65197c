package config

import "strings"

// passwordMax bounds the password's file, in bytes without its line end.
const passwordMax = 1024

// password reads the secret's file; both a file and a variable are a mistake,
// because one of them would be ignored.
func (l *loader) password() {
	const key = "kafka.sasl.password_file"
	sasl := &l.config.Kafka.SASL
	if sasl.PasswordFile == "" {
		return
	}
	if sasl.Password.IsSet() {
		l.blame(key, l.origins["kafka.sasl.password"]+" is given too, allowed: one of them")
		return
	}
	data, err := readFile(sasl.PasswordFile)
	if err != nil {
		l.blame(key, sasl.PasswordFile+" "+cannotRead(err))
		return
	}
	text := trimLineEnd(string(data))
	if text == "" || len(text) > passwordMax {
		l.blame(key, sasl.PasswordFile+" has no password of 1 to 1024 bytes, allowed: the password and one line end")
		return
	}
	sasl.Password = NewSecret(text)
	l.origins["kafka.sasl.password"] = l.origins[key]
}

// blame adds a problem at the place where the key was set.
func (l *loader) blame(key, what string) {
	l.problems = append(l.problems, Problem{Place: l.origins[key], Key: key, What: what})
}

// trimLineEnd drops one line end at the end, as editors leave it.
func trimLineEnd(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return strings.TrimSuffix(text, "\r")
}
