// Package ext stands in for Traefik's own module of this name, which lies in a folder of its repository that its
// module leaves out.
package ext

// HTTP has no fields in Traefik either.
type HTTP struct{}

// DeepCopyInto has nothing to copy.
func (in *HTTP) DeepCopyInto(out *HTTP) { *out = *in }

// Router has no fields in Traefik either.
type Router struct{}

// DeepCopyInto has nothing to copy.
func (in *Router) DeepCopyInto(out *Router) { *out = *in }
