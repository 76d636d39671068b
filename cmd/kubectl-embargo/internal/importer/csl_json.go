package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// cslResult is an element of the Consolidated Screening List's JSON.
type cslResult struct {
	Source        text  `json:"source"`
	Type          text  `json:"type"`
	Name          text  `json:"name"`
	Programs      texts `json:"programs"`
	AltNames      texts `json:"alt_names"`
	Notice        text  `json:"federal_register_notice"`
	Start         text  `json:"start_date"`
	End           text  `json:"end_date"`
	Requirement   text  `json:"license_requirement"`
	Policy        text  `json:"license_policy"`
	ListURL       text  `json:"source_list_url"`
	InfoURL       text  `json:"source_information_url"`
	Title         text  `json:"title"`
	Citizenships  texts `json:"citizenships"`
	Births        texts `json:"dates_of_birth"`
	Nationalities texts `json:"nationalities"`
	BirthPlaces   texts `json:"places_of_birth"`
	Addresses     []struct {
		Country text `json:"country"`
	} `json:"addresses"`
}

// text is a string, a number or null.
type text string

// UnmarshalJSON takes null for no text, and a number for its digits.
func (t *text) UnmarshalJSON(raw []byte) error {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case nil:
	case string:
		*t = text(value)
	case float64:
		*t = text(raw)
	default:
		return fmt.Errorf("there is %.40q where a text should be", raw)
	}
	return nil
}

// texts is a list of strings, or a string with semicolons as CSV has it.
type texts []string

// UnmarshalJSON takes either.
func (t *texts) UnmarshalJSON(raw []byte) error {
	var list []text
	if json.Unmarshal(raw, &list) == nil {
		for _, one := range list {
			*t = append(*t, string(one))
		}
		*t = cleaned(*t)
		return nil
	}
	var one text
	if err := one.UnmarshalJSON(raw); err != nil {
		return err
	}
	*t = splitList(string(one))
	return nil
}

// readCSLJSON reads the Consolidated Screening List as JSON: an object with a list
// results, or the list alone.
func readCSLJSON(file File, v *Visitor) error {
	limited := newBudget(file)
	c := &cslReader{file: file.Name, budget: limited, decoder: json.NewDecoder(limited), visitor: v}
	err := c.read()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	if err != nil {
		return &BadRow{Place: c.place(), Err: err}
	}
	return nil
}

type cslReader struct {
	file    string
	budget  *budget
	decoder *json.Decoder
	visitor *Visitor
	row     int  // how many results were read
	found   bool // the list of results
}

func (c *cslReader) place() string { return fmt.Sprintf("%s: results[%d]", c.file, c.row) }

func (c *cslReader) read() error {
	start, err := c.decoder.Token()
	if err != nil {
		return err
	}
	if start == json.Delim('[') {
		return c.results()
	}
	for c.decoder.More() {
		if err := c.member(); err != nil {
			return err
		}
	}
	if _, err := c.decoder.Token(); err != nil {
		return err
	}
	if !c.found {
		return errors.New("there is no list results in it")
	}
	return nil
}

// member reads a member of the outer object: the results, or something else.
func (c *cslReader) member() error {
	c.budget.refill()
	key, err := c.decoder.Token()
	if err != nil {
		return err
	}
	if key != "results" {
		var value json.RawMessage
		if err := c.decoder.Decode(&value); err != nil {
			return err
		}
		if key == "total" && c.found && strings.TrimSpace(string(value)) != strconv.Itoa(c.row) {
			c.visitor.Notice(fmt.Sprintf("%s says that it has %s entries, and %d were read", c.file, value, c.row))
		}
		return nil
	}
	switch list, err := c.decoder.Token(); {
	case err != nil:
		return err
	case list != json.Delim('['):
		return errors.New("results is no list")
	}
	return c.results()
}

// results reads the elements of the list up to its end.
func (c *cslReader) results() error {
	c.found = true
	for c.decoder.More() {
		c.budget.refill()
		var raw json.RawMessage
		if err := c.decoder.Decode(&raw); err != nil {
			return err
		}
		if err := c.result(raw); err != nil {
			c.visitor.bad(c.place(), "%w", err)
		}
		c.row++
	}
	_, err := c.decoder.Token()
	return err
}

func (c *cslReader) result(raw json.RawMessage) error {
	if raw[0] != '{' {
		return fmt.Errorf("there is %.40s where an entry should be", raw)
	}
	var result cslResult
	if err := json.Unmarshal(raw, &result); err != nil {
		return err
	}
	result.row().entry(c.place(), c.visitor)
	return nil
}

func (r *cslResult) row() *cslRow {
	row := &cslRow{
		source: string(r.Source), kind: string(r.Type), name: string(r.Name), programs: r.Programs, altNames: r.AltNames,
		notices: string(r.Notice), start: string(r.Start), end: string(r.End), requirement: string(r.Requirement), policy: string(r.Policy),
		listURL: string(r.ListURL), infoURL: string(r.InfoURL),
	}
	for _, address := range r.Addresses {
		if country := clean(string(address.Country)); country != "" {
			row.countries = append(row.countries, country)
		}
	}
	row.personal = strings.TrimSpace(string(r.Title)) != "" || len(r.Citizenships)+len(r.Births)+len(r.Nationalities)+len(r.BirthPlaces) > 0
	return row
}
