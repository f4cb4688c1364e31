package main

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"
)

// Together with the number some 200 bytes of JSON.
var padding = strings.Repeat("x", 170)

func submit(ctx context.Context, client *river.Client[pgx.Tx], wanted plan, seen *ledger) error {
	if wanted.rate > 0 {
		return submitSlowly(ctx, client, wanted, seen)
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range wanted.submitters {
		group.Go(func() error {
			for {
				first := int(next.Add(int64(wanted.batch))) - wanted.batch
				if first >= wanted.jobs {
					return nil
				}
				if err := insert(ctx, client, first, min(wanted.batch, wanted.jobs-first), seen); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// One at a time, so that each meets idle workers.
func submitSlowly(ctx context.Context, client *river.Client[pgx.Tx], wanted plan, seen *ledger) error {
	ticker := time.NewTicker(time.Second / time.Duration(wanted.rate))
	defer ticker.Stop()
	for number := range wanted.jobs {
		<-ticker.C
		if err := insert(ctx, client, number, 1, seen); err != nil {
			return err
		}
	}
	return nil
}

func insert(ctx context.Context, client *river.Client[pgx.Tx], first, count int, seen *ledger) error {
	var err error
	sent := time.Now()
	if count == 1 {
		_, err = client.Insert(ctx, noOpArgs{Number: first, Padding: padding}, nil)
	} else {
		jobs := make([]river.InsertManyParams, count)
		for i := range jobs {
			jobs[i] = river.InsertManyParams{Args: noOpArgs{Number: first + i, Padding: padding}}
		}
		_, err = client.InsertManyFast(ctx, jobs)
	}
	if err == nil {
		seen.acknowledge(first, count, sent)
	}
	return err
}
