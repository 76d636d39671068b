package importer

import (
	"regexp"
	"strings"
)

// readCSLCSV reads the Consolidated Screening List as CSV.
func readCSLCSV(file File, v *Visitor) error {
	return eachNamed(file, []string{"source", "name"}, func(place string, row map[string]string) {
		r := cslRow{
			source: row["source"], kind: row["type"], name: row["name"],
			programs: splitList(row["programs"]), altNames: splitList(row["alt_names"]),
			countries: countriesOf(splitList(row["addresses"])), notices: row["federal_register_notice"],
			start: row["start_date"], end: row["end_date"],
			requirement: row["license_requirement"], policy: row["license_policy"],
			listURL: row["source_list_url"], infoURL: row["source_information_url"],
		}
		for _, column := range []string{"title", "citizenships", "dates_of_birth", "nationalities", "places_of_birth"} {
			r.personal = r.personal || strings.TrimSpace(row[column]) != ""
		}
		r.entry(place, v)
	}, func(place string, err error) { v.bad(place, "%w", err) })
}

var countryCode = regexp.MustCompile(`(?:^|[ ,])([A-Z]{2})$`)

// countriesOf takes the country off the end of addresses such as 1 Street, City, RU.
func countriesOf(addresses []string) []string {
	var countries []string
	for _, address := range addresses {
		if match := countryCode.FindStringSubmatch(address); match != nil {
			countries = append(countries, match[1])
		}
	}
	return countries
}
