package importer

import (
	"strings"
	"unicode"
)

// companyWords are words that only names of companies and public bodies have.
var companyWords = wordSet(`academy administration aerospace agency airlines airways antivirus association associates authority automation
	aviation bank bhd board brothers bureau business capital center centre cjsc cloud college commission committee communication
	communications company computing consortium consulting cooperation corp corporation council cyber data defence defense department design
	development digital directorate dmcc electric electronic electronics energy engineering enterprise enterprises equipment establishment
	exchange export factory federation fgup finance financial force foundation freight fsue fund fze fzc fzco gas gesellschaft gmbh group
	headquarters holding holdings hospital import inc incorporated industrial industries industry information infosystems innovation institute
	instruments insurance intelligence international investment investments jsc kommanditgesellschaft lab laboratories laboratory labs limited
	limitada llc llp logistics ltd ltda machinery manufacturing marine maritime materials media microelectronics mining ministry
	navigation network networks nii oao observatory ooo office oil optics optoelectronics organisation organization ojsc pao partners petroleum
	pharmaceutical pharma pjsc plant plc ports precision production products pte pty pvt radio research sarl school science sciences scientific
	security semiconductor semiconductors service services shipping shipyard society software solutions spa srl station studio supercomputing
	supply systems technical technologies technology telecom telecommunications televideo trade trading transport university ventures
	warehouse works zao ооо оао зао пао фгуп`)

// shortForms are legal forms that may also be part of a person's name: they count with
// a dot, or in capitals among other words.
var shortForms = wordSet("ab ag ao as bv co est kg kk lp nv oy sa sdn se ао")

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

// companyParts are parts of Chinese and Japanese names, which have no spaces.
var companyParts = []string{"公司", "集团", "集團", "大学", "大學", "研究", "会社", "學院", "学院", "银行", "中心"}

// looksLikeCompany reports whether a name can only be a company's. Lists that don't say
// what an entry is have persons' names among them, which are to stay out.
func looksLikeCompany(name string) bool {
	mixed := strings.ContainsFunc(name, unicode.IsLower)
	separates := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' }
	for word := range strings.FieldsFuncSeq(name, separates) {
		plain := strings.ToLower(strings.ReplaceAll(word, ".", ""))
		switch {
		case companyWords[plain]:
			return true
		case shortForms[plain] && (strings.Contains(word, ".") || mixed && word == strings.ToUpper(word)):
			return true
		}
	}
	for _, part := range companyParts {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// kindOf decides what an entry is about whose list doesn't say: personal is whether it
// has data that only persons have.
func kindOf(name string, personal bool) Kind {
	switch {
	case personal:
		return Person
	case looksLikeCompany(name):
		return Company
	default:
		return Unclear
	}
}
