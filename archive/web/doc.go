// Package web is the public reading pages of the archive.
package web
