// Package render turns a message into safe text and HTML for a page: quotes, links, attachments.
package render
