// Package queue is the durable outbound queue: what must leave, when it is
// tried again, and what became of it. It knows no lists.
//
// # The idea
//
// A rendition is a finished message without its personal parts, kept once: a small one as a row, a large one as a
// blob. A row of the outbox names a rendition and up to 100 recipients. A worker takes a row, or what a shared
// row has for one group of destinations,
// has the Personaliser make its copies, streams them into the Transport, domain by domain, and
// hands what became of each to the committer, which writes many outcomes in
// one transaction:
//
//	Rendition, add -> Enqueue… -> Seal        in the transactions of the caller
//	schedule -> worker -> Transport           in memory
//	outcomes -> committer -> rows, Outcome()  in one transaction
//
// Only the rows are true. The schedule in memory says which row may be worth
// looking at; a worker reads the row afresh after it has claimed it and gives
// the claim back after the outcomes are committed. So a row that was
// scheduled twice, dropped, or changed meanwhile does no harm.
//
// # Groups
//
// Domains whose mail hosts are one provider's are a group (GroupOf, Options.Group): limits, gate and pace are the group's.
// The name is looked up when a domain first has something to be sent; its rows wait for that, those of others do not.
//
//   - A group starts with one connection. Each row that is taken while all connections are busy doubles them, up to
//     the limit of the group (Limits, Providers); after trouble it adds one.
//   - A reply 4.7.x halves them; ten in a row, Google's 4.7.28, or a domain that cannot be reached while no other of the
//     group can, close the gate: nothing is tried for 5 minutes, then 10…, and then by one connection.
//   - Where copies are paced, all of a group (Limits.Rate) or those of one rendition (Limits.RateOfOne), each waits for its moment.
//     Who asks for less gets half of the latter, and it grows again.
//   - What was learnt is stored with the next outcomes and taken up at the next start.
//
// Whose turn it is is one rule everywhere: the rendition that was served longest ago, whatever the destination. So a post to
// thousands of domains lets one to a single domain in between.
//
// # On disk
//
//	outbox       row number -> Row
//	renditions   id -> rows outstanding, sealed, size, what the next hop must offer
//	renditiontexts id -> CRLF lines, unless they are in the blob
//	outboxstate  "last" -> last row number given out; "turn" -> number of Retry calls; "reached" -> Unix time of the last word of a mail host
//	outboxgroups group -> connections, rate and gate; at most 10,000, for 30 days
//	renditions/ID           the blob of a message of more than 64 KB: CRLF lines
//
// # Invariants
//
//   - A rendition's text is on disk before a row names it, and stays until no
//     row names it and it is sealed. Blobs nobody needs are removed at start.
//   - A recipient leaves its row only in the transaction that tells the
//     Personaliser its final outcome.
//   - A recipient with a final outcome is never tried again. After a crash those
//     whose outcomes were not yet committed are: the copies in flight, those of the last
//     Options.CommitDelay, and those that came while these and the batch before were committed.
//   - Recipients of one row have been tried equally often. A row of several domains is split at their first deferral.
//   - A copy that is given up, when no mail host has said a word to any since it was queued, failed because of us (Outcome.Ours).
//   - While outcomes cannot be committed nothing more is sent.
//   - No more than Options.Signers copies are signed at a time, and where GOMAXPROCS
//     leaves processors to others, on threads of low priority.
//   - A delivery that goes without an answer for 10 seconds holds nobody up: it does not count against Options.Connections,
//     up to as many again, and what its worker has for other domains goes to other workers.
//   - The trouble of one domain does not close the gate of a group that takes mail for another, and what a host outside of the
//     group says does not either: everybody can name a provider's host as his own.
//
// # Limits
//
// When more than twice Options.Connections destinations hang at once, others wait for a time-out.
// Behind a smarthost all domains are one group, without slow start and without a pace for each provider: both are the smarthost's.
// Domains of one group share rows and workers. Whether they share connections, and how many copies one carries (Limits.Messages),
// is for the Transport to see to: their demands (MTA-STS, DANE) may differ.
// The gate of a domain alone in a group that works is no more than the pauses of its rows: each row asks once.
package queue
