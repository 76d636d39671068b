package imageref

import "strings"

// Distances between a pattern and a reference that it doesn't match.
const (
	otherVersion = 1 // the same repository, another tag or digest
	otherHost    = 3 // the same repository under another host
	farther      = 4 // than anything that counts as near
)

// shortestHost is the length from which on a slip in a host's name counts as one.
const shortestHost = 8

// Distance says how near a pattern comes to a reference that it doesn't match: 0 where
// it matches, false where it comes nowhere near. It counts the letters that would have
// to change, one or two at most and no more than a quarter of a word; 3 for a whole
// repository under another host, and 1 for another tag or digest. It is for advice to
// people: no decision may rest on it.
func (p Pattern) Distance(r Reference) (int, bool) {
	if p.text == "" {
		return farther, false
	}
	distance := pathDistance(p.pathAt(r.Host), strings.Split(r.Path, "/"))
	if !p.anyHost && !p.host.match(r.Host) {
		distance += p.hostDistance(r.Host, distance)
	}
	if !p.matchVersion(r) {
		distance += otherVersion
	}
	return distance, distance < farther
}

// hostDistance tells a slip in the host's name from another host. Another one is near
// only where the path, as it stands, is one that a pattern spells out.
func (p Pattern) hostDistance(host string, pathDistance int) int {
	// Of short names, such as those of two registries, one is no slip for the other.
	if name, exact := p.host.exact(); exact && len(name) >= shortestHost {
		given, port := splitPort(host)
		if p.host.port == "" || p.host.port == port {
			if d := slips(name, given); d < farther {
				return d
			}
		}
	}
	if pathDistance == 0 && p.spellsOutPath() {
		return otherHost
	}
	return farther
}

// spellsOutPath reports whether the path names a repository so that it would be known
// again under another host: by at least two segments, each with a few letters, beside
// Docker Hub's library.
func (p Pattern) spellsOutPath() bool {
	telling := 0
	for _, s := range p.path {
		if s.deep {
			return false
		}
		if text := s.literal + strings.Join(s.parts, ""); len(text) > 3 && text+"/" != hubLibrary {
			telling++
		}
	}
	return telling >= 2
}

// pathDistance fits the segments to the pattern with the fewest slips, row by row as
// one does for words: ** takes any number of segments for nothing.
func pathDistance(pattern []segment, path []string) int {
	row := make([]int, len(path)+1)
	for i := 1; i <= len(path); i++ {
		row[i] = farther
	}
	for _, s := range pattern {
		next := make([]int, len(path)+1)
		for i := range next {
			next[i] = farther
			if s.deep {
				next[i] = row[i]
				if i > 0 {
					next[i] = min(next[i], next[i-1])
				}
			} else if i > 0 && row[i-1] < farther {
				next[i] = min(farther, row[i-1]+s.distance(path[i-1]))
			}
		}
		row = next
	}
	return row[len(path)]
}

func (s segment) distance(text string) int {
	switch {
	case s.match(text):
		return 0
	case s.wild():
		return farther
	default:
		return slips(s.literal, text)
	}
}

// slips counts the letters that were added, left out, replaced or swapped with their
// neighbour between two words (the distance of optimal string alignment), and is
// farther where they are too many for a slip in a word of that length.
func slips(word, text string) int {
	most := min(2, len(word)/4)
	if len(text) > len(word)+most || len(word) > len(text)+most {
		return farther
	}
	var before, row, next []int
	for j := range len(text) + 1 {
		row = append(row, j)
	}
	for i := range len(word) {
		next = append(make([]int, 0, len(row)), i+1)
		for j := range len(text) {
			cost := row[j]
			if word[i] != text[j] {
				cost++
			}
			cost = min(cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && word[i] == text[j-1] && word[i-1] == text[j] {
				cost = min(cost, before[j-1]+1)
			}
			next = append(next, cost)
		}
		before, row = row, next
	}
	if row[len(text)] > most {
		return farther
	}
	return row[len(text)]
}
