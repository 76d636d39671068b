package output

import "embargo.dev/policies/v1alpha1"

// measureView is a restriction with its timeline.
type measureView struct {
	*measure

	Anchor   string
	Findings int
	Timeline *timeline // nil where the schedule isn't known
}

// timeline is a schedule as a picture and, for those who don't see it, as a table.
// Lengths are in the units of the picture.
type timeline struct {
	Name     string // of the measure
	Describe string
	Hatch    string // names the pattern of what is to come
	Zone     string
	Lanes    []lane
	Starts   []start
	Ticks    []mark
	Marks    []mark
	Phases   []phaseView
	Height   int
	AxisY    int
}

// lane is one use through time.
type lane struct {
	Name  string
	Y     int
	Spans []bar
}

// bar is what one phase asks for one use.
type bar struct {
	X, Width float64
	Class    string
	Label    string
	LabelX   float64
	Coming   bool
}

// start is the numbered beginning of a phase.
type start struct {
	X, Y   float64
	Number int
}

// mark is a labelled instant.
type mark struct {
	X     float64
	TextX float64
	Y     int
	Name  string
	Class string
	At    string // where the text is anchored
}

// phaseView is a phase in the table.
type phaseView struct {
	v1alpha1.Phase

	Number   int
	Day      string
	Standing string // past, in force or coming
}

const (
	pictureLeft  = 92  // where time begins, right of the names
	pictureWidth = 800 // of the picture
	pictureRight = 784 // where time ends
	laneHeight   = 26
	laneGap      = 4
	dotRows      = 3 // rows of numbers, where phases lie close
	dotRow       = 22
)
