// Package tlsreport counts how TLS with the mail hosts of other domains went and tells these domains once a day (TLSRPT, RFC 8460).
//
// # The idea
//
// A domain that wants to know says where to:
//
//	_smtp._tls.example.com TXT "v=TLSRPTv1; rua=mailto:tls@example.com"
//
// The relay gives [Reports.Count] each connection. What it counts is stored by day (UTC) and domain. After the end of the day the
// domain's record is looked up, and the report goes out as a mail that our domain signs, or over HTTPS.
//
// # On disk
//
//	tlsreports   day, domain -> what was counted under each policy, and who has the report
//
// # Invariants
//
//   - A report and the end of its row are one transaction: a crash sends none twice by mail, and loses none.
//   - What strangers can make us keep is bounded: domains a day, policies of a domain, failures of a policy, addresses of a record.
//   - Sessions that carry reports are not counted, so that no report causes another.
//
// # Limits
//
// What was counted within the last five seconds is lost in a crash. Connections to a smarthost or to the host of a route are not
// counted: there no domain's policy is looked at. A domain whose record cannot be looked up, or whose web server does not take the
// report, is asked again every hour for a day.
package tlsreport
