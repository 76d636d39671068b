package schedule

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"sync"
	"time"
)

// zoneinfo is the time zone database that the Go distribution carries
// (lib/time/zoneinfo.zip). time.LoadLocation prefers what the host has, which
// differs from machine to machine, and from the next version of this program.
//
//go:embed zoneinfo.zip
var zoneinfo []byte

// database reads the embedded archive once.
var database = sync.OnceValues(func() (map[string]*zip.File, error) {
	archive, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		return nil, fmt.Errorf("reading the embedded time zone data: %w", err)
	}
	files := make(map[string]*zip.File, len(archive.File))
	for _, f := range archive.File {
		if !f.FileInfo().IsDir() {
			files[f.Name] = f
		}
	}
	return files, nil
})

// zones has every zone that was asked for, by name.
var zones sync.Map

// LoadZone returns the zone with an IANA name such as America/New_York, from the
// data compiled into the program and nowhere else. The error for an unknown name
// says which known one is nearest.
func LoadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := readZone(name)
	if err != nil {
		return nil, err
	}
	zones.Store(name, zone)
	return zone, nil
}

func readZone(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	files, err := database()
	if err != nil {
		return nil, err
	}
	file, ok := files[name]
	if !ok {
		return nil, unknownZone(name, files)
	}
	content, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("reading time zone %s: %w", name, err)
	}
	defer content.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(content)
	if err != nil {
		return nil, fmt.Errorf("reading time zone %s: %w", name, err)
	}
	return time.LoadLocationFromTZData(name, data)
}

func unknownZone(name string, files map[string]*zip.File) error {
	tooFar := min(4, (len(name)+1)/2) // of a short name nothing would be left
	nearest, distance := "", tooFar
	for known := range files {
		d := editDistance(name, known, tooFar)
		if d < distance || d == distance && nearest != "" && known < nearest {
			nearest, distance = known, d
		}
	}
	if nearest != "" {
		return fmt.Errorf("%q is no IANA time zone; did you mean %q?", name, nearest)
	}
	return fmt.Errorf("%q is no IANA time zone; want a name such as America/New_York", name)
}

// editDistance counts the insertions, deletions and replacements between two
// words (Levenshtein), and gives up at most.
func editDistance(a, b string, most int) int {
	if len(a)-len(b) >= most || len(b)-len(a) >= most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return min(row[len(b)], most)
}
