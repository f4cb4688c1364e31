// The work of the benchmark on River: clients and workers in this process, straight on PostgreSQL.
// Prints one JSON object; library_peers.py calls it and checks the database afterwards.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

type plan struct {
	databaseURL string
	jobs, batch int
	// Jobs a second, one by one; 0: as fast as it goes, in batches.
	rate int
	// Insertions at the same time.
	submitters int
	workers    int
	cooldown   time.Duration
	patience   time.Duration
}

func readPlan() plan {
	var wanted plan
	flag.StringVar(&wanted.databaseURL, "database-url", "", "")
	flag.IntVar(&wanted.jobs, "jobs", 1000, "")
	flag.IntVar(&wanted.batch, "batch", 100, "")
	flag.IntVar(&wanted.rate, "rate", 0, "")
	flag.IntVar(&wanted.submitters, "submitters", 4, "")
	flag.IntVar(&wanted.workers, "workers", 1000, "")
	flag.DurationVar(&wanted.cooldown, "fetch-cooldown", 100*time.Millisecond, "")
	flag.DurationVar(&wanted.patience, "patience", time.Minute, "")
	flag.Parse()
	return wanted
}

func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func newClient(pool *pgxpool.Pool, wanted plan, seen *ledger) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &noOp{seen: seen})
	return river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {
			MaxWorkers:    wanted.workers,
			FetchCooldown: wanted.cooldown,
		}},
		Workers: workers,
	})
}

func run(ctx context.Context, wanted plan) (map[string]any, error) {
	config, err := pgxpool.ParseConfig(wanted.databaseURL)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(wanted.submitters + 12)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	if err := migrate(ctx, pool); err != nil {
		return nil, err
	}
	seen := newLedger(wanted.jobs)
	client, err := newClient(pool, wanted, seen)
	if err != nil {
		return nil, err
	}
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := submit(ctx, client, wanted, seen); err != nil {
		return nil, err
	}
	if err := awaitEnd(ctx, pool, wanted, seen); err != nil {
		return nil, err
	}
	seconds := time.Since(began).Seconds()
	if err := client.Stop(ctx); err != nil {
		return nil, err
	}
	return seen.summary(seconds), nil
}

// Until every handler has run and PostgreSQL has every job as completed.
func awaitEnd(ctx context.Context, pool *pgxpool.Pool, wanted plan, seen *ledger) error {
	deadline := time.Now().Add(wanted.patience)
	for open := true; open; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d jobs were handled within %s", seen.handled.Load(), wanted.jobs, wanted.patience)
		}
		if seen.handled.Load() < int64(wanted.jobs) {
			continue
		}
		row := pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM river_job WHERE state <> 'completed')")
		if err := row.Scan(&open); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	wanted := readPlan()
	ctx, cancel := context.WithTimeout(context.Background(), 2*wanted.patience)
	defer cancel()
	result, err := run(ctx, wanted)
	if err != nil {
		fmt.Fprintln(os.Stderr, strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}
