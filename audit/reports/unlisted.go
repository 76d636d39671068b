package reports

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies/v1alpha1"
)

// unlistedAnnotation holds what the next leader has to remember of the findings that a
// report doesn't list: since when, and what was told of them. It is nothing to read.
const unlistedAnnotation = "embargo.dev/unlisted"

const (
	// A record is the finding's key as a hash, since when, in seconds, and traits.
	recordSize = 8 + 4 + 1
	// maxRecords is what fits into an object's annotations, which are 256 KiB at most.
	maxRecords = 14_000
)

// What the traits of a record are: where since was read, and days, are counted from the
// lowest bit that is theirs.
const (
	traitSource  = 0b11
	traitLate    = 1 << 2 // arrived after a ban
	traitCovered = 1 << 3 // a waiver covered the arrival
	daysShift    = 4
)

var (
	sources = []v1alpha1.SinceFrom{v1alpha1.SinceReplicaSet, v1alpha1.SinceControllerRevision, v1alpha1.SincePod, v1alpha1.SinceFirstSeen}
	days    = exposure.DaysTold()
)

// hashOf tells keys apart in little room.
func hashOf(k exposure.Key) uint64 {
	hash := fnv.New64a()
	for _, text := range []string{string(k.Workload), k.Container, k.Image, k.Vendor, k.Restriction} {
		_, _ = hash.Write([]byte(text + "\x00")) // a hash takes whatever is written to it
	}
	return hash.Sum64()
}

// keep writes into a report what is remembered of the findings that it doesn't list.
func (m *memories) keep(report *v1alpha1.VendorReport, findings []*exposure.Finding) {
	unlisted := findings[len(report.Findings):]
	if len(unlisted) == 0 {
		return
	}
	records := make([]byte, 0, min(len(unlisted), maxRecords)*recordSize)
	for _, f := range unlisted[:min(len(unlisted), maxRecords)] {
		key := f.Key()
		records = appendRecord(records, key, m.findings[key])
	}
	report.Annotations = map[string]string{unlistedAnnotation: base64.RawStdEncoding.EncodeToString(records)}
}

func appendRecord(to []byte, key exposure.Key, memory exposure.Memory) []byte {
	traits := max(0, slices.Index(sources, memory.SinceFrom)) | max(0, slices.Index(days, memory.ToldDaysBefore))<<daysShift
	if memory.ArrivedAfterBan {
		traits |= traitLate
	}
	if memory.Covered {
		traits |= traitCovered
	}
	to = binary.BigEndian.AppendUint64(to, hashOf(key))
	to = binary.BigEndian.AppendUint32(to, uint32(memory.Since.Unix()))
	return append(to, byte(traits))
}

// unlisted reads what was kept; nothing where somebody else wrote it.
func unlisted(report *v1alpha1.VendorReport) map[uint64]exposure.Memory {
	records, err := base64.RawStdEncoding.DecodeString(report.Annotations[unlistedAnnotation])
	if err != nil {
		return nil
	}
	found := make(map[uint64]exposure.Memory, len(records)/recordSize)
	for record := range slices.Chunk(records, recordSize) {
		if len(record) < recordSize {
			break
		}
		traits := int(record[recordSize-1])
		found[binary.BigEndian.Uint64(record)] = exposure.Memory{
			Partial: true, Since: time.Unix(int64(binary.BigEndian.Uint32(record[8:])), 0), SinceFrom: sources[traits&traitSource],
			ArrivedAfterBan: traits&traitLate != 0, Covered: traits&traitCovered != 0,
			ToldDaysBefore: days[min(traits>>daysShift, len(days)-1)],
		}
	}
	return found
}
