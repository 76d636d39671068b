package importer

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
)

// spool keeps entries in a temporary file, so that those of one company, which stand far
// apart in a list, can be brought together without holding a list in memory. Of an entry
// only a few bytes are held.
type spool struct {
	file  *os.File
	out   *bufio.Writer
	size  int64
	seed  maphash.Seed
	kept  map[uint64]chain // by company
	order []uint64         // companies in the order of their first entries
}

// chain is the entries of a company.
type chain struct {
	last   int64 // where the last one begins
	length int
}

// maxChain is how many entries of one company are kept: they are held in memory together.
const maxChain = 1000

func newSpool() (*spool, error) {
	file, err := os.CreateTemp("", "embargo-import-*")
	if err != nil {
		return nil, fmt.Errorf("keeping what is selected: %w", err)
	}
	return &spool{file: file, out: bufio.NewWriter(file), seed: maphash.MakeSeed(), kept: map[uint64]chain{}}, nil
}

// close removes the file.
func (s *spool) close() error {
	if err := s.file.Close(); err != nil {
		return err
	}
	return os.Remove(s.file.Name())
}

const headLength = 12 // where the company's entry before begins, -1 for none, and the length

// add adds an entry of the company that a key stands for. It says whether there was room.
func (s *spool) add(key string, e *Entry) (bool, error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return false, err
	}
	hash := maphash.String(s.seed, key)
	before, known := s.kept[hash]
	switch {
	case !known:
		before.last = -1
		s.order = append(s.order, hash)
	case before.length == maxChain:
		return false, nil
	}
	s.kept[hash] = chain{last: s.size, length: before.length + 1}
	head := binary.BigEndian.AppendUint64(make([]byte, 0, headLength), uint64(before.last))
	head = binary.BigEndian.AppendUint32(head, uint32(len(raw)))
	for _, part := range [][]byte{head, raw} {
		n, err := s.out.Write(part)
		if err != nil {
			return false, fmt.Errorf("keeping what is selected: %w", err)
		}
		s.size += int64(n)
	}
	return true, nil
}

// each visits the companies, each with its entries in the order in which they were added.
func (s *spool) each(visit func([]Entry) error) error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("keeping what is selected: %w", err)
	}
	for _, hash := range s.order {
		var entries []Entry
		for at := s.kept[hash].last; at >= 0; {
			e, before, err := s.read(at)
			if err != nil {
				return fmt.Errorf("reading again what was selected: %w", err)
			}
			entries, at = append(entries, e), before
		}
		slices.Reverse(entries)
		if err := visit(entries); err != nil {
			return err
		}
	}
	return nil
}

func (s *spool) read(at int64) (e Entry, before int64, err error) {
	var head [headLength]byte
	if _, err := s.file.ReadAt(head[:], at); err != nil {
		return e, 0, err
	}
	raw := make([]byte, binary.BigEndian.Uint32(head[8:]))
	if _, err := io.ReadFull(io.NewSectionReader(s.file, at+headLength, int64(len(raw))), raw); err != nil {
		return e, 0, err
	}
	return e, int64(binary.BigEndian.Uint64(head[:])), json.Unmarshal(raw, &e)
}
