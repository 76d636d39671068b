package manifest

import (
	"bufio"
	"bytes"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// utf16Decoder returns a decoder for a stream in UTF-16, as PowerShell's > writes it; nil
// for any other. Without a byte order mark, the zero byte of an ASCII character tells
// (YAML 1.2, section 5.2).
func utf16Decoder(stream *bufio.Reader) transform.Transformer {
	begin, err := stream.Peek(2)
	if err != nil {
		return nil
	}
	switch {
	case bytes.Equal(begin, []byte{0xFF, 0xFE}), begin[0] != 0 && begin[1] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	case bytes.Equal(begin, []byte{0xFE, 0xFF}), begin[0] == 0 && begin[1] != 0:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()
	default:
		return nil
	}
}
