// Package tlspolicy finds out what a domain or a host demands of those who deliver mail to it: MTA-STS (RFC 8461) and DANE (RFC 7672).
//
// # The idea
//
// A domain says by MTA-STS, on a web page, which hosts take its mail and that they show a certificate that is valid for their name:
//
//	_mta-sts.example.com TXT "v=STSv1; id=20260101"
//	https://mta-sts.example.com/.well-known/mta-sts.txt
//
// A host says by DANE, in the DNS, which certificate or key it shows. That holds only where DNSSEC protects the whole way:
//
//	example.com MX mx.example.com, its addresses, _25._tcp.mx.example.com TLSA
//
// [Cache] holds the MTA-STS policies, in the store, so that nobody who can stop DNS or HTTPS for a while can make us forget one.
// [Pins] are the TLSA records of a host and check a connection.
//
// # On disk
//
//	mtasts   domain -> Policy, when it was fetched
//
// # Invariants
//
//   - A policy that was fetched holds for its max_age, at most a year, whatever DNS and HTTPS say meanwhile, unless another one was fetched.
//   - A fetch takes at most a minute, in all; deliveries to one domain share it. One that failed is not repeated for five minutes.
//   - A policy is taken only over HTTPS with a certificate valid for mta-sts.DOMAIN, without redirects and proxies,
//     from an address that is neither this machine's own nor of its link, and up to 64 KB.
//
// # Limits
//
// A policy that is in use is fetched again once a day, by the delivery that notices; it waits for that.
// A policy that no mail needs for longer than its max_age is lost. Reports to the domains are made by package tlsreport.
package tlspolicy
