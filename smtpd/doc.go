// Package smtpd is mail on the wire: SMTP and LMTP in (this package), and in
// its folders the format, authentication, the queue and SMTP out. It knows no lists.
package smtpd
