package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// bench is one run of the command: what was asked for and the rows so far.
type bench struct {
	options
	dir  string
	rows []result
}

// result is one row of the table.
type result struct {
	Work string `json:"work"`
	// Ours and Bare are medians, in Unit. Bare is 0 where there is none.
	Ours float64 `json:"ours"`
	Bare float64 `json:"bare,omitempty"`
	Unit string  `json:"unit"`
	// Ratio is the median over the pairs, Min and Max the extremes; 0 where there is no bare loop. Larger is better.
	Ratio float64 `json:"ratio,omitempty"`
	Min   float64 `json:"ratio_min,omitempty"`
	Max   float64 `json:"ratio_max,omitempty"`
	Bound string  `json:"bound"`
	OK    bool    `json:"ok"`
	// Goal marks a row that does not fail the command.
	Goal bool `json:"goal,omitempty"`
}

// measure is one turn of one side; it returns the figure of the row.
type measure func(ctx context.Context) (float64, error)

// row says what two sides are compared for.
type row struct {
	work, unit string
	// less marks a figure of which less is better: the ratio is then bare to ours.
	less bool
	// least is the lowest ratio that will do.
	least float64
	goal  bool
}

// wants tells whether one of the rows is asked for.
func (b *bench) wants(works ...string) bool { return slices.ContainsFunc(works, b.only.MatchString) }

// compare lets both sides take turns and adds the row. One turn each goes before that does not count.
func (b *bench) compare(ctx context.Context, r row, ours, bare measure) error {
	if !b.wants(r.work) {
		return nil
	}
	var mine, theirs, ratios []float64
	for i := range b.runs + 1 {
		o, err := ours(ctx)
		if err != nil {
			return fmt.Errorf("%s: docket: %w", r.work, err)
		}
		p, err := bare(ctx)
		if err != nil {
			return fmt.Errorf("%s: bare: %w", r.work, err)
		}
		if i == 0 {
			continue
		}
		ratio := o / p
		if r.less {
			ratio = p / o
		}
		mine, theirs, ratios = append(mine, o), append(theirs, p), append(ratios, ratio)
		b.progress("%s: %s against %s, ratio %.2f", r.work, figure(o, r.unit), figure(p, r.unit), ratio)
	}
	out := result{Work: r.work, Ours: median(mine), Bare: median(theirs), Unit: r.unit, Ratio: median(ratios),
		Min: slices.Min(ratios), Max: slices.Max(ratios), Bound: fmt.Sprintf("≥ %.2f", r.least), Goal: r.goal}
	out.OK = out.Ratio >= r.least
	b.rows = append(b.rows, out)
	return nil
}

// goal adds a row of one figure that should not be larger than most; 0 is no goal.
func (b *bench) goal(work, unit string, value, most float64) {
	r := result{Work: work, Ours: value, Unit: unit, OK: most == 0 || value <= most, Goal: true}
	if most > 0 {
		r.Bound = "≤ " + figure(most, unit)
	}
	b.rows = append(b.rows, r)
	b.progress("%s: %s", work, figure(value, unit))
}

// progress tells whoever waits; the table goes to standard output alone.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func (b *bench) missed() bool {
	return slices.ContainsFunc(b.rows, func(r result) bool { return !r.OK && !r.Goal })
}

// median sorts a copy; of an even number it is the mean of the two in the middle.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// percentile99 is the value that 99 % do not exceed. It sorts v.
func percentile99(v []float64) float64 {
	slices.Sort(v)
	return v[min(len(v)-1, len(v)*99/100)]
}

// figure writes a number with three digits that say something.
func figure(v float64, unit string) string {
	digits := 0
	switch {
	case v < 1:
		digits = 3
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	if !strings.HasPrefix(unit, "/") {
		unit = " " + unit
	}
	return fmt.Sprintf("%.*f%s", digits, v, unit)
}

// cells are the row as the table shows it.
func (r result) cells() []string {
	out := []string{r.Work, figure(r.Ours, r.Unit), "–", "–", r.Bound, "ok"}
	if r.Ratio > 0 {
		out[2] = figure(r.Bare, r.Unit)
		out[3] = fmt.Sprintf("%.2f (%.2f–%.2f)", r.Ratio, r.Min, r.Max)
	}
	if r.Bound == "" {
		out[4], out[5] = "–", "–"
	}
	if r.Goal && r.Bound != "" {
		out[4] = "goal " + out[4]
	}
	if !r.OK {
		out[5] = "MISSED"
	}
	return out
}

// print writes the table: aligned for a terminal, and Markdown.
func (b *bench) print(w io.Writer, machine string) error {
	if b.json {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Machine string   `json:"machine"`
			Runs    int      `json:"runs"`
			Quick   bool     `json:"quick"`
			Rows    []result `json:"rows"`
		}{machine, b.runs, b.quick, b.rows})
	}
	table := [][]string{{"work", "docket", "bare", "ratio", "bound", ""}}
	for _, r := range b.rows {
		table = append(table, r.cells())
	}
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var s strings.Builder
	for n, line := range table {
		for i, cell := range line {
			s.WriteString("| " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+1))
		}
		s.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				s.WriteString("|" + strings.Repeat("-", width+2))
			}
			s.WriteString("|\n")
		}
	}
	fmt.Fprintf(&s, "\n%s, median of %d interleaved runs (least–largest)\n", machine, b.runs)
	_, err := io.WriteString(w, s.String())
	return err
}
