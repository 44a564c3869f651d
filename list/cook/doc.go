// Package cook turns a received post into what is archived and what is sent: two ordered tables of pure steps, content and dress.
package cook
