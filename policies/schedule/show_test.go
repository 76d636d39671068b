package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/schedule"
)

func TestNearDatesHaveTimeZoneAndWhatIsLeft(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	begins := time.Date(2024, 9, 29, 4, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		before         time.Duration
		date, deadline string
	}{
		"weeks before":          {21 * 24 * time.Hour, "2024-09-29", "2024-09-29"},
		"two days before":       {48 * time.Hour, "2024-09-29", "2024-09-29"},
		"a second later":        {48*time.Hour - time.Second, "2024-09-29 00:00 EDT", "2024-09-29 00:00 EDT (47 hours left)"},
		"tomorrow":              {30 * time.Hour, "2024-09-29 00:00 EDT", "2024-09-29 00:00 EDT (30 hours left)"},
		"an hour and a half":    {90 * time.Minute, "2024-09-29 00:00 EDT", "2024-09-29 00:00 EDT (90 minutes left)"},
		"a minute and a half":   {90 * time.Second, "2024-09-29 00:00 EDT", "2024-09-29 00:00 EDT (90 s left)"},
		"at the instant":        {0, "2024-09-29 00:00 EDT", "2024-09-29 00:00 EDT (0 s left)"},
		"begun, still tomorrow": {-time.Hour, "2024-09-29 00:00 EDT", "2024-09-29 00:00 EDT"},
		"the day's last second": {-24*time.Hour + time.Second, "2024-09-29 00:00 EDT", "2024-09-29 00:00 EDT"},
		"a day after":           {-24 * time.Hour, "2024-09-29", "2024-09-29"},
	} {
		now := begins.Add(-c.before)
		assert.Equal(t, c.date, schedule.Date(now, begins, newYork), name)
		assert.Equal(t, c.deadline, schedule.Deadline(now, begins, newYork), name)
	}
}

func TestDaysAreCountedInTheZone(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	now := time.Date(2024, 9, 10, 2, 0, 0, 0, time.UTC) // still the 9th in New York
	then := time.Date(2024, 9, 29, 4, 0, 0, 0, time.UTC)
	assert.Equal(t, "20 days", schedule.Left(now, then, newYork))
	assert.Equal(t, 19, schedule.DaysUntil(now, then, time.UTC))
}
