package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/calendar"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/cmd/kubectl-embargo/internal/terminal"
	"embargo.dev/internal/display"
	"embargo.dev/policies/v1alpha1"
)

// banSchedule prints the ban schedule.
type banSchedule struct {
	basis

	format   string
	upcoming bool
	alarms   []string

	reminders []calendar.Alarm // of alarms
}

var scheduleFormats = []string{"table", "wide", "json", "yaml", "ics"}

func newSchedule(name string, streams genericiooptions.IOStreams) *cobra.Command {
	s := &banSchedule{basis: basis{IOStreams: streams}}
	cmd := &cobra.Command{
		Use:   "schedule [VENDOR...]",
		Short: "Print the ban schedule, past and coming",
		Long: `Print the phases of every restriction, past and coming, with what each asks for and
the text that it goes back to: as a table with a picture of time, or for programs. Dates
are those of the restriction's zone.`,
		Example: examples(name, `
			# Everything on the built-in list
			%[1]s schedule

			# One vendor's, for one audience
			%[1]s schedule kaspersky --audience us-persons -o wide

			# What is still to come, in order of time
			%[1]s schedule --upcoming

			# The dates for a calendar, which reminds a month and a week before each
			%[1]s schedule -o ics --alarm 30d,7d > bans.ics`),
		ValidArgsFunction: completeVendors,
		RunE: func(cmd *cobra.Command, vendors []string) error {
			if !slices.Contains(scheduleFormats, s.format) {
				return fmt.Errorf("-o %q: want one of %s", s.format, strings.Join(scheduleFormats, ", "))
			}
			if err := s.readAlarms(cmd.Flags().Changed("alarm")); err != nil {
				return err
			}
			if err := s.complete(cmd.Flags()); err != nil {
				return err
			}
			return s.run(cmd.Context(), vendors)
		},
	}
	s.addListFlags(cmd)
	addAudienceFlag(cmd, &s.rules.audiences, "audiences whose restrictions to print; default all")
	cmd.Flags().BoolVar(&s.upcoming, "upcoming", false, "only what is to come, in order of time")
	cmd.Flags().StringSliceVar(&s.alarms, "alarm", nil, "with -o ics, how long before the day on which a phase begins a calendar reminds of it, such as 2w, 30d or 12h; can be given several times")
	addChoiceFlag(cmd, &s.format, "output", "o", "table", "output format: "+strings.Join(scheduleFormats, ", "), scheduleFormats)
	return cmd
}

func (s *banSchedule) readAlarms(given bool) error {
	switch {
	case given && s.format != "ics":
		return fmt.Errorf("--alarm goes with -o ics, not with -o %s", s.format)
	case given && len(s.alarms) == 0:
		s.alarms = []string{""}
	}
	for _, text := range s.alarms {
		a, err := calendar.ParseAlarm(text)
		if err != nil {
			return fmt.Errorf("--alarm %w", err)
		}
		s.reminders = append(s.reminders, a)
	}
	return nil
}

func (s *banSchedule) run(ctx context.Context, names []string) error {
	listed, err := s.rules.loadList(ctx, s.In, s.broken)
	if err != nil {
		return err
	}
	for _, n := range listed.notices {
		s.notice("%s", n)
	}
	listed.compile() // tells what is wrong
	vendors, err := named(listed.source.Vendors, names)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, a := range s.rules.audiences {
		wanted[a] = true
	}
	all := calendar.Entries(vendors, wanted, s.instant)
	entries := all
	if s.upcoming {
		entries = calendar.Upcoming(all)
	}
	s.noteDoubts(entries)
	switch {
	case len(all) == 0:
		s.notice("no restriction of these vendors is for these audiences")
	case len(entries) == 0:
		s.notice("no phase of these restrictions is to come")
	}
	s.tell()
	return errors.Join(s.print(entries, calendar.OfSame(all, entries)), s.exit())
}

// noteDoubts remarks on dates that are in doubt, in a line for all of a kind.
func (s *banSchedule) noteDoubts(entries []calendar.Entry) {
	for _, v := range []v1alpha1.Verification{v1alpha1.VerificationReported, v1alpha1.VerificationUnverified} {
		var phases []string
		for i := range entries {
			if e := &entries[i]; e.Verification == v {
				phases = append(phases, fmt.Sprintf("%s/%s %s", e.Vendor, e.Restriction, e.Phase))
			}
		}
		if len(phases) > 0 {
			s.notice("%s %s (-o wide says it of each): %s", display.CountOf(len(phases), "date is", "dates are"), v.Doubt(), firstOf(phases, 3))
		}
	}
}

// print prints the entries, and a picture of their restrictions.
func (s *banSchedule) print(entries, pictured []calendar.Entry) error {
	now := s.instant.In(time.UTC)
	switch s.format {
	case "json", "yaml":
		return output.PrintStructured(s.Out, s.format, entries)
	case "ics":
		return calendar.ICS(s.Out, entries, now, s.reminders)
	}
	if len(entries) == 0 {
		return nil
	}
	if err := calendar.Table(s.Out, entries, calendar.Columns{Left: s.upcoming, Wide: s.format == "wide"}); err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	look := calendar.Look{Width: terminal.Width(s.Out), UTF8: terminal.UTF8(s.Out), Colour: terminal.Colour(s.Out)}
	if err := calendar.Picture(s.Out, pictured, now, look); err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	return calendar.Citations(s.Out, entries)
}

// named returns the vendors with the names, all where none is given.
func named(vendors []v1alpha1.RestrictedVendor, names []string) ([]v1alpha1.RestrictedVendor, error) {
	if len(names) == 0 {
		return vendors, nil
	}
	var chosen []v1alpha1.RestrictedVendor
	for _, name := range names {
		at := slices.IndexFunc(vendors, func(v v1alpha1.RestrictedVendor) bool { return v.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("vendor %q is not on the list, which has %s", name, namesOf(vendors))
		}
		if !slices.ContainsFunc(chosen, func(v v1alpha1.RestrictedVendor) bool { return v.Name == name }) {
			chosen = append(chosen, vendors[at])
		}
	}
	return chosen, nil
}

func namesOf(vendors []v1alpha1.RestrictedVendor) string {
	var names []string
	for i := range vendors {
		names = append(names, vendors[i].Name)
	}
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}
