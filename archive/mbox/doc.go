// Package mbox reads and writes mboxrd: "From " lines quoted by one ">", undone exactly when read.
package mbox
