// Package fakedns answers DNS questions from zone text, for tests and the demo.
//
//	example.test.            TXT  "v=spf1 ip4:192.0.2.0/24 -all"
//	example.test.            MX   10 mx.example.test.
//	mx.example.test.         A    192.0.2.25
//	! temp TXT broken.test.  ; this question fails temporarily
package fakedns
