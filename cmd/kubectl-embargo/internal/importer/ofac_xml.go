package importer

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// sdnEntry is an entry of SDN.XML. Its names are matched in any namespace, for OFAC
// changed it.
type sdnEntry struct {
	UID        string   `xml:"uid"`
	FirstName  string   `xml:"firstName"`
	LastName   string   `xml:"lastName"`
	Type       string   `xml:"sdnType"`
	Remarks    string   `xml:"remarks"`
	Programmes []string `xml:"programList>program"`
	Aliases    []struct {
		FirstName string `xml:"firstName"`
		LastName  string `xml:"lastName"`
	} `xml:"akaList>aka"`
	Countries []string `xml:"addressList>address>country"`
}

// published is what SDN.XML says of itself. The misspelling in its name is OFAC's.
type published struct {
	Date  string `xml:"Publish_Date"`
	Count string `xml:"Record_Count"`
}

// readOFACXML reads SDN.XML.
func readOFACXML(file File, v *Visitor) error {
	limited := newBudget(file)
	decoder := xml.NewDecoder(limited)
	s := &sdnReader{file: file.Name, decoder: decoder, visitor: v}
	for {
		limited.refill()
		err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return s.end()
		case err != nil:
			return &BadRow{Place: s.place(), Err: withoutLine(err)}
		}
	}
}

type sdnReader struct {
	file      string
	decoder   *xml.Decoder
	visitor   *Visitor
	root      bool // sdnList was found
	published published
	rows      int
}

func (s *sdnReader) place() string {
	line, _ := s.decoder.InputPos()
	return fmt.Sprintf("%s:%d", s.file, line)
}

// withoutLine drops the line that the parser names, which the place has already.
func withoutLine(err error) error {
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return errors.New(syntax.Msg)
	}
	return err
}

// next reads the next element that matters, or what stands between.
func (s *sdnReader) next() error {
	token, err := s.decoder.Token()
	if err != nil {
		return err
	}
	start, ok := token.(xml.StartElement)
	switch {
	case !ok:
		return nil
	case !s.root:
		if start.Name.Local != "sdnList" {
			return fmt.Errorf("its outer element is %s: want sdnList", start.Name.Local)
		}
		s.root = true
		return nil
	case start.Name.Local == "publshInformation":
		if err := s.decoder.DecodeElement(&s.published, &start); err != nil {
			return err
		}
		if date, ok := usDate(s.published.Date); ok {
			s.visitor.Published(date)
		}
		return nil
	case start.Name.Local == "sdnEntry":
		place := s.place()
		var e sdnEntry
		if err := s.decoder.DecodeElement(&e, &start); err != nil {
			return err
		}
		s.rows++
		e.row().entry(place, s.visitor)
		return nil
	}
	return nil
}

func (e *sdnEntry) row() *ofacRow {
	row := &ofacRow{
		kind: e.Type, name: e.LastName, first: e.FirstName, remarks: e.Remarks,
		programmes: cleaned(e.Programmes), countries: cleaned(e.Countries),
	}
	for _, alias := range e.Aliases {
		if clean(alias.FirstName) == "" {
			row.aliases = append(row.aliases, alias.LastName)
		}
	}
	row.aliases = cleaned(row.aliases)
	return row
}

func (s *sdnReader) end() error {
	count := strings.TrimSpace(s.published.Count)
	if count != "" && count != strconv.Itoa(s.rows) {
		s.visitor.Notice(fmt.Sprintf("%s says that it has %s entries, and %d were read", s.file, count, s.rows))
	}
	return nil
}
