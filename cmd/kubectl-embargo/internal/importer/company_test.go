package importer_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"embargo.dev/cmd/kubectl-embargo/internal/importer"
)

// TestOfNamesWithoutATypeOnlyCompaniesAreTaken has names of the kinds that the lists of
// the Commerce Department have, which don't say what they are.
func TestOfNamesWithoutATypeOnlyCompaniesAreTaken(t *testing.T) {
	for name, want := range map[string]importer.Kind{
		"Example Antivirus JSC":             importer.Company,
		"AO Example":                        importer.Company,
		"Example S.A.":                      importer.Company,
		"EXAMPLE GMBH & CO. KG":             importer.Company,
		"Example (Hong Kong) Co., Ltd.":     importer.Company,
		"The 13th Sample Research Unit":     importer.Company,
		"ООО Пример":                        importer.Company,
		"示例科技有限公司":                          importer.Company,
		"A. SAMPLE":                         importer.Unclear,
		"Sample Sa Person":                  importer.Unclear,
		"AO SAMPLE":                         importer.Unclear,
		"Sample Person, a.k.a. The Example": importer.Unclear,
	} {
		r := run(t, "csl", fmt.Sprintf("source,name\nEntity List (EL) - BIS,\"%s\"\n", name), importer.Side{}, importer.Selection{})
		assert.Equal(t, want == importer.Company, len(r.drafts) == 1, name)
		assert.Equal(t, want == importer.Unclear, r.Count.Unclear == 1, name)
	}
}

func TestWithDataThatOnlyPersonsHaveItIsOne(t *testing.T) {
	for _, column := range []string{"title", "citizenships", "dates_of_birth", "nationalities", "places_of_birth"} {
		r := run(t, "csl", "source,name,"+column+"\nEntity List (EL) - BIS,Sample Trading,x\n", importer.Side{}, importer.Selection{})
		assert.Equal(t, 1, r.Count.Persons, column)
		r = run(t, "csl", `{"results":[{"source":"Entity List (EL) - BIS","name":"Sample Trading","`+column+`":"x"}]}`, importer.Side{}, importer.Selection{})
		assert.Equal(t, 1, r.Count.Persons, column)
	}
}
