package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kairan/smtpd/queue"
)

// metrics are read at each scrape from the counters that the parts keep anyway.
func (app *App) metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s := &app.SMTP.Stats
	for _, c := range []struct {
		name, help string
		value      func() int64
	}{
		{"kairan_smtp_connections_total", "SMTP connections accepted.", s.Connections.Load},
		{"kairan_smtp_connections_refused_total", "SMTP connections refused because there were too many.", s.Capped.Load},
		{"kairan_smtp_messages_accepted_total", "Messages answered with 2xx.", s.Accepted.Load},
		{"kairan_smtp_messages_refused_total", "Messages answered with 5xx.", s.Refused.Load},
		{"kairan_smtp_messages_deferred_total", "Messages answered with 4xx.", s.Deferred.Load},
		{"kairan_smtp_recipients_refused_total", "Recipients answered with 5xx.", s.Recipients.Load},
		{"kairan_smtp_bytes_total", "Bytes of messages received.", s.Bytes.Load},
	} {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help}, func() float64 { return float64(c.value()) }))
	}
	depth := func(name, help string, value func(queue.Depth) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(app.Outbox.Depth()) }))
	}
	depth("kairan_queue_copies", "Copies that wait or are being sent.", func(d queue.Depth) float64 { return float64(d.Copies) })
	depth("kairan_queue_rows", "Rows of the queue.", func(d queue.Depth) float64 { return float64(d.Rows) })
	depth("kairan_queue_destinations", "Destinations with copies that wait.", func(d queue.Depth) float64 { return float64(d.Destinations) })
	depth("kairan_queue_sending", "Deliveries that run now.", func(d queue.Depth) float64 { return float64(d.Sending) })
	for status, value := range map[queue.Status]func(queue.Depth) uint64{
		queue.Delivered: func(d queue.Depth) uint64 { return d.Delivered },
		queue.Deferred:  func(d queue.Depth) uint64 { return d.Deferred },
		queue.Failed:    func(d queue.Depth) uint64 { return d.Failed },
		queue.Skipped:   func(d queue.Depth) uint64 { return d.Skipped },
	} {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name:        "kairan_copies_total",
			Help:        "Attempts to deliver a copy, by outcome.",
			ConstLabels: prometheus.Labels{"outcome": string(status)},
		}, func() float64 { return float64(value(app.Outbox.Depth())) }))
	}
	return r
}
