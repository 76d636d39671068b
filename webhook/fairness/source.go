package fairness

import "net/netip"

// ipv6Prefix is the length of the network that one IPv6 host may take addresses from.
const ipv6Prefix = 64

// Source is where a request comes from: an IPv4 address, or an IPv6 network of 64 bits,
// because a host may use any address in it. The zero Source stands for all addresses that
// can't be parsed.
type Source struct{ network netip.Prefix }

// SourceOf returns the source of a remote address such as 10.0.0.1:4711.
func SourceOf(remoteAddr string) Source {
	address, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return Source{}
	}
	ip := address.Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = ipv6Prefix
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return Source{}
	}
	return Source{network}
}

// String returns the address or network.
func (s Source) String() string { return s.network.String() }
