package main

import (
	"context"
	"sort"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
)

// What happened to each job, by its number.
type ledger struct {
	began        time.Time
	sent         []atomic.Int64
	acknowledged []atomic.Int64
	started      []atomic.Int64
	times        []atomic.Int32
	handled      atomic.Int64
}

func newLedger(jobs int) *ledger {
	return &ledger{
		began:        time.Now(),
		sent:         make([]atomic.Int64, jobs),
		acknowledged: make([]atomic.Int64, jobs),
		started:      make([]atomic.Int64, jobs),
		times:        make([]atomic.Int32, jobs),
	}
}

// Of the jobs of one submission: when its call began, and that it has been answered now.
func (l *ledger) acknowledge(first, count int, sent time.Time) {
	now := int64(time.Since(l.began))
	for number := first; number < first+count; number++ {
		l.sent[number].Store(int64(sent.Sub(l.began)))
		l.acknowledged[number].Store(now)
	}
}

func (l *ledger) start(number int) {
	if l.times[number].Add(1) == 1 {
		l.started[number].Store(int64(time.Since(l.began)))
		l.handled.Add(1)
	}
}

func (l *ledger) summary(seconds float64) map[string]any {
	doubled := 0
	for number := range l.times {
		if l.times[number].Load() > 1 {
			doubled++
		}
	}
	afterAnswer, afterCall := l.waits(l.acknowledged), l.waits(l.sent)
	return map[string]any{
		"accepted":         len(l.times),
		"completed":        l.handled.Load(),
		"doubled":          doubled,
		"seconds":          seconds,
		"pickup_p50_ms":    percentile(afterAnswer, 0.5),
		"pickup_p99_ms":    percentile(afterAnswer, 0.99),
		"from_call_p50_ms": percentile(afterCall, 0.5),
		"from_call_p99_ms": percentile(afterCall, 0.99),
	}
}

// Milliseconds from each of `since` to the handler, sorted. A handler may begin before the answer.
func (l *ledger) waits(since []atomic.Int64) []float64 {
	waits := make([]float64, len(since))
	for number := range since {
		waits[number] = max(0, float64(l.started[number].Load()-since[number].Load())/1e6)
	}
	sort.Float64s(waits)
	return waits
}

func percentile(sorted []float64, share float64) float64 {
	return sorted[int(share*float64(len(sorted)-1)+0.5)]
}

type noOpArgs struct {
	Number  int    `json:"number"`
	Padding string `json:"padding"`
}

func (noOpArgs) Kind() string { return "no_op" }

type noOp struct {
	river.WorkerDefaults[noOpArgs]
	seen *ledger
}

func (w *noOp) Work(_ context.Context, job *river.Job[noOpArgs]) error {
	w.seen.start(job.Args.Number)
	return nil
}
