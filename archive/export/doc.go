// Package export writes an archive as files for other programs.
//
// # What is written
//
//   - mbox: a file "2026-01.mbox" for each month, in mboxrd, which every mail program reads;
//   - HTML: the reading pages as files, which any web server serves and a browser reads from the disk. Links are relative. The
//     place of a page in the folder is that of its address below /LIST/, so that served there old links go on working;
//   - Maildir: a folder with cur, new and tmp, and a file for each message, whose times are those of receipt.
//
// A reader gets what readers may see: hidden messages are left out, redacted ones and people are as on the pages, and every message has
// passed [archive.Public]. A raw export is for the operator, who moves the archive elsewhere: it obeys the ledger too, but
// leaves headers and tokens as they are, and its mboxes carry Kairan's fields, so that an import keeps numbers and post IDs.
//
// # Limits
//
// A static site has no search, feeds or order by time. A Message-ID that cannot be a file's name everywhere becomes a hash, and
// a file that a server might run or show as a page is called attachment-N.bin. On file systems that do not tell upper and lower case apart,
// messages whose Message-IDs differ only there share a page.
// Messages that arrive while an export runs may be in it or not. The list "" of what was decided is not exported: a raw
// mbox has the outcome, not the ledger.
package export
