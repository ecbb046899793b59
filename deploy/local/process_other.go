//go:build !linux

package local

import "syscall"

func attributes(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func giveAway(string) error { return nil }
