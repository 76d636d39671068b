package reports

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies/v1alpha1"
)

// unlistedAnnotation holds what the next leader has to remember of the findings that a
// report doesn't list: since when, and what was told of them. It is nothing to read.
const unlistedAnnotation = "embargo.dev/unlisted"

const (
	// A record is the finding's key, by the name of its workload, as a hash; a check of the
	// workload's UID; since when, in seconds; and traits.
	recordSize = 8 + 2 + 4 + 1
	// maxRecords is what fits into an object's annotations, which are 256 KiB at most.
	maxRecords = 12_000
)

// What the traits of a record are: where since was read, and days, are counted from the
// lowest bit that is theirs.
const (
	traitSource   = 0b11
	traitLate     = 1 << 2 // arrived after a ban
	traitCovered  = 1 << 3 // a waiver covered the arrival
	daysShift     = 4
	traitDays     = 0b11 << daysShift
	traitImported = 1 << 6 // since comes from an imported report
	traitAwaited  = 1 << 7 // its workload isn't there yet, and will have another UID
)

// record is what is remembered of a finding whose key is known as a hash alone.
type record struct {
	workload uint16 // check of the workload's UID
	awaited  bool   // it is known by the workload's name, since it was imported
	memory   exposure.Memory
}

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

// checkOf is a check of a workload's UID: a workload that was deleted and made again under
// its name is another one.
func checkOf(uid types.UID) uint16 {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(uid)) // a hash takes whatever is written to it
	return uint16(hash.Sum32())    //nolint:gosec // the lower half is meant
}

// keep writes into a report what is remembered of the findings that it doesn't list, and of
// those whose workloads are awaited.
func (m *memories) keep(report *v1alpha1.VendorReport, findings []*exposure.Finding) {
	var records []byte
	for _, f := range findings[len(report.Findings):] {
		key := f.Key()
		records = appendRecord(records, hashOf(key.Named(f.Workload)), record{workload: checkOf(key.Workload), memory: m.findings[key]})
	}
	awaited := map[uint64]record{}
	for hash, r := range m.unlisted {
		if r.awaited {
			awaited[hash] = r
		}
	}
	for named, memory := range m.awaited {
		awaited[hashOf(named)] = record{awaited: true, memory: memory}
	}
	for _, hash := range slices.Sorted(maps.Keys(awaited)) {
		records = appendRecord(records, hash, awaited[hash])
	}
	if len(records) > 0 {
		records = records[:min(len(records), maxRecords*recordSize)]
		report.Annotations = map[string]string{unlistedAnnotation: base64.RawStdEncoding.EncodeToString(records)}
	}
}

func appendRecord(to []byte, hash uint64, r record) []byte {
	traits := max(0, slices.Index(sources, r.memory.SinceFrom)) | max(0, slices.Index(days, r.memory.ToldDaysBefore))<<daysShift
	for trait, holds := range map[int]bool{
		traitLate: r.memory.ArrivedAfterBan, traitCovered: r.memory.Covered, traitImported: r.memory.Imported, traitAwaited: r.awaited,
	} {
		if holds {
			traits |= trait
		}
	}
	to = binary.BigEndian.AppendUint64(to, hash)
	to = binary.BigEndian.AppendUint16(to, r.workload)
	to = binary.BigEndian.AppendUint32(to, uint32(r.memory.Since.Unix()))
	return append(to, byte(traits))
}

// unlisted reads what was kept; nothing where somebody else wrote it.
func unlisted(report *v1alpha1.VendorReport) map[uint64]record {
	records, err := base64.RawStdEncoding.DecodeString(report.Annotations[unlistedAnnotation])
	if err != nil {
		return nil
	}
	found := make(map[uint64]record, len(records)/recordSize)
	for text := range slices.Chunk(records, recordSize) {
		if len(text) < recordSize {
			break
		}
		traits := int(text[recordSize-1])
		found[binary.BigEndian.Uint64(text)] = record{
			workload: binary.BigEndian.Uint16(text[8:]), awaited: traits&traitAwaited != 0,
			memory: exposure.Memory{
				Partial: true, Since: time.Unix(int64(binary.BigEndian.Uint32(text[10:])), 0), SinceFrom: sources[traits&traitSource],
				Imported: traits&traitImported != 0, ArrivedAfterBan: traits&traitLate != 0, Covered: traits&traitCovered != 0,
				ToldDaysBefore: days[traits&traitDays>>daysShift],
			},
		}
	}
	return found
}
