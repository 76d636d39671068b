package manifest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPlaceEndsWithTheValue(t *testing.T) {
	for text, want := range map[string]Place{
		"x: abc\n":                           {1, 4, 7},
		"x: abc # comment\n":                 {1, 4, 7},
		"a: 1\nx: 'it''s'  \n":               {2, 4, 11},
		"x: \"a\\\"b\"\n":                    {1, 4, 10},
		"é: 1\nx: \"ü\" # é\n":               {2, 4, 7},
		"{a: é, x: ab}":                      {1, 11, 13},
		"x: >-\n  abc\n":                     {1, 4, 0},
		"x: a\n  b\n":                        {1, 4, 0},
		"x: &a 'b'\n":                        {1, 7, 10},
		"x: !!str &a  b # c\n":               {1, 14, 15},
		"x: &a\n  b\n":                       {1, 4, 0},
		"x: &a # c\n  b\n":                   {1, 4, 0},
		"x: {y: 1}\n":                        {1, 4, 0},
		"{\"a\":1,\"x\":\"\\ud83d\\ude00\"}": {1, 12, 26},
	} {
		c := chunk{line: 1, text: []byte(text), json: text[1] == '"'}
		d, err := c.parse()
		require.NoError(t, err, text)
		assert.Equal(t, want, d.Place("x"), text)
	}
}

func TestWhatFollowsASeparatorKeepsItsColumn(t *testing.T) {
	c := chunk{line: 7, column: 4, text: []byte(`{"x":"ab"}`), json: true}
	d, err := c.parse()
	require.NoError(t, err)
	assert.Equal(t, Place{7, 10, 14}, d.Place("x"))
}
