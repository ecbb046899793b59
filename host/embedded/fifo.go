package embedded

// fifo is a queue that can be read by position; at(0) is the oldest.
type fifo[T any] struct {
	items []T
	first int
}

func (f *fifo[T]) len() int   { return len(f.items) - f.first }
func (f *fifo[T]) at(i int) T { return f.items[f.first+i] }

func (f *fifo[T]) push(v T) {
	if f.first > 32 && f.first > len(f.items)/2 {
		n := copy(f.items, f.items[f.first:])
		clear(f.items[n:])
		f.items, f.first = f.items[:n], 0
	}
	f.items = append(f.items, v)
}

func (f *fifo[T]) pop() T {
	var zero T
	v := f.items[f.first]
	f.items[f.first] = zero
	f.first++
	if f.first == len(f.items) {
		f.items, f.first = f.items[:0], 0
	}
	return v
}
