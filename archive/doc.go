// Package archive keeps what was posted, readable for ever.
//
// # The idea
//
// The truth is one append-only mboxrd file per list and month, and beside them a ledger of what was decided afterwards; everything
// else is an index that can be rebuilt from them.
// [Archive.Add] appends and syncs, then commits place and length of the record together with the index rows.
// Readers stop at the committed length.
//
// # Archive on disk
//
// The blob "archive/LIST/2026-01.mbox" holds the posts that list LIST (its opaque ID) received in January
// 2026 in the site's time zone, in the order in which they were archived. Package mbox describes the form: any
// mail program can read it. Besides the message, each record holds its post ID, number, Message-ID, time
// of receipt, position (Seq), length and SHA-256, so a record that was cut or damaged is told
// from a whole one, and [Archive.Reindex] makes the same index from the files alone.
//
// A crash or a full disk can leave bytes behind the committed length. The next Add to the list, and
// [Archive.Recover] at start, first index the whole records among them, so that a post that was archived is found
// by its ID and not archived again. What is left after the last whole record is copied to the blob
// "lost+found/archive/LIST/2026-01.mbox.OFFSET-SUM", and only then cut off, and reported.
// A damaged record before a whole one is skipped by Reindex, reported, and stays in the file.
// A file that is shorter than its committed length stops Add until somebody decides.
//
// # Ledger
//
// The blob "archive/LIST/ledger.jsonl" has a line of JSON ([Act]) for each thing that was decided about a message after it was
// archived: that it is hidden, redacted or shown again, split from its thread or joined to another, or purged. "archive/ledger.jsonl" is the site's, and
// names the people who are named nowhere. A line is written and synced first, and then carried out in one transaction with
// the ledger's length; a crash between is made up for like that of an Add. Reindex reads the ledger before the
// mboxes, so nothing is seen for a moment that is hidden. [Message.Sight] decides what readers see; every function that reads goes by it.
//
// Only a purge changes a month: it writes the next generation, "archive/LIST/2026-01.1.mbox", in which an empty record takes
// the place of the message, then its line in the ledger, then makes it the one that counts, and deletes the old file. So Seqs, numbers and
// addresses stay taken, and an import does not bring the message back.
//
// Rows, all of which Reindex drops and makes again:
//
//	archive_lists            list                     last Seq; whether a Reindex is going on
//	archive_messages         list, Seq                Message
//	archive_ids              list, Message-ID, nth    Seq (the ID as a hash of 192 bits)
//	archive_posts            list, post ID            Seq
//	archive_numbers          list, post number        Seq
//	archive_months           list, month              file, committed length, count
//	archive_month_messages   list, month, time, Seq   the beginning of the Message: its thread, whether it is hidden
//	archive_threads          list, thread             Thread
//	archive_thread_messages  list, thread, time, Seq
//	archive_recent           list, last activity, thread
//	archive_waiting          list, Message-ID         messages that refer to it while it is not there
//	archive_subjects         list, base subject       the thread that had it last
//	archive_hashes           list, HyperKitty's hash  Seq
//	archive_old_names        list, name               Seq, by the name in the archive that it was imported from
//	archive_rulings          list, post ID            the sum of the ledger's lines about it
//	archive_generations      list, month              which file of the month counts
//	archive_ledgers          list                     committed length of the ledger; the site's has no list and is not dropped
//	archive_people           number                   Person, from the site's ledger; not dropped either
//
// Two more tables are not dropped with them. They are the log of changes that an index beside this one follows ([Changes]):
//
//	archive_changes          position                 Change
//	archive_changed          list, Seq                position of the message's last change
//
// # Threads
//
// A message belongs to the thread of the nearest of its parents that is there. A reply whose parents are
// not there belongs to the thread that last had its base subject, within 30 days, and else a message to that of another one that
// refers to the same missing parent, within 30 days. A parent that comes late joins the threads that wait for it. The thread keeps the Seq it had when it began, and is named after its root.
//
// # Invariants
//
//   - A post is in the archive of a list once, whatever is interrupted and tried again.
//   - No byte that was written is deleted, unless somebody purged it: it is in a month or in lost+found.
//   - What the ledger hides from readers is hidden whatever is made anew, imported again, exported or searched.
//   - The work that one message causes is bounded: it waits for at most 11 parents, at most 100
//     messages wait for one parent, and at most 1,000 messages of a thread move.
//   - What leaves the archive for strangers has passed [Public], or [PublicText] where it is text already.
//
// # Limits
//
// A thread of more than 1,000 messages is not joined with an older one when their common parent comes late.
// A thread of more than 10,000 is neither split nor joined. A purged message's subject may stay in free pages of the rows
// file until they are written over, and its Message-ID stays. A person's name is found in text and header
// fields, not in attachments other than messages, pictures or HTML entities. While a list is indexed again, its readers see the part that is done and its posts wait.
// Public does not see a token in UTF-16, or one that is split between lines by other means than a
// transfer encoding. One process writes to an archive.
package archive
