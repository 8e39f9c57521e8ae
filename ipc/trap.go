package ipc

import (
	"machkernel/mach"
	"machkernel/ports"
)

// MsgTrap is mach_msg_trap: send a message, receive one, or send one and then
// receive one, if the send succeeded. timeout is in milliseconds and counts
// for either part whose timeout option is given.
//
// Locks: none held. The rights and memory of the message move between the
// caller's task and the kernel as the return code says:
//
//	send codes 1 to 3 below: nothing has changed
//	send codes 4: all that the message carried is destroyed, also the rights of
//	    the header
//	send codes 5: all that the message carried is the task's again, under names
//	    and addresses that the buffer now tells (pseudo-receive); special bits
//	    say what could not be given back
//
//	1 SendMsgTooSmall   sendSize is less than a header or no multiple of 8
//	  SendNoBuffer      the message is larger than the kernel takes, or has
//	                    memory for
//	  SendInvalidData   the message is not readable
//	2 SendInvalidNotify SEND_CANCEL, and notify is null or no receive right
//	3 SendInvalidHeader, SendInvalidDest, SendInvalidReply: the header
//	4 SendMsgTooSmall   an item runs past the end
//	  SendInvalidType   an item's descriptor is illegal
//	  SendInvalidMemory out-of-line memory is not there
//	  SendInvalidRight  a name does not denote the right to be sent
//	5 SendTimedOut      the queue was full for the time given
//	  SendInterrupted   the thread was aborted while it waited
//	  SendNotifyInProgress, SendInvalidNotify: SEND_NOTIFY, the queue was full,
//	                    and the last message that the task forced to the port is
//	                    still there, or notify is null or no receive right
//	6 SendWillNotify    SEND_NOTIFY, and the queue was full: the message is sent all
//	                    the same, and notify will learn that it was taken
//
//	RcvInvalidName, RcvInSet, RcvTimedOut, RcvInterrupted, RcvPortDied,
//	RcvPortChanged      no message was taken
//	RcvTooLarge         with RCV_LARGE: no message was taken, its size is
//	                    written; else the header alone was delivered
//	RcvInvalidNotify    RCV_NOTIFY, and notify is null or no receive right: the
//	                    header alone was delivered
//	RcvHeaderError      no name for the reply right: the same
//	RcvBodyError        delivered, but for what the special bits say
//	RcvInvalidData      the buffer is not writable: the message is lost
func (s *System) MsgTrap(c Caller, msg mach.Addr, option mach.MsgOption, sendSize, rcvSize uint32,
	rcvName mach.Name, timeout uint32, notify mach.Name,
) mach.MsgReturn {
	if option&mach.SendMsg != 0 {
		if mr := s.send(c, msg, option, sendSize, timeout, notify); mr != mach.MsgSuccess {
			return mr
		}
	}
	if option&mach.RcvMsg != 0 {
		return s.receive(c, msg, option, rcvSize, rcvName, timeout, notify)
	}
	return mach.MsgSuccess
}

// send is the first half of MsgTrap.
func (s *System) send(c Caller, msg mach.Addr, option mach.MsgOption, size, timeout uint32, notify mach.Name) mach.MsgReturn {
	k, remote, local, mr := s.get(c.Memory(), msg, size)
	if mr != mach.MsgSuccess {
		return mr
	}
	cancel := mach.NameNull
	if option&mach.SendCancel != 0 {
		if cancel = notify; cancel == mach.NameNull {
			k.refund()
			return mach.SendInvalidNotify
		}
	}
	if mr = k.copyin(c, remote, local, cancel); mr != mach.MsgSuccess {
		return mr
	}
	if list := s.observers.Load(); list != nil {
		for _, o := range *list {
			o.MessageSent(c, k)
		}
	}
	limit := ports.Millis(option&mach.SendTimeout != 0, timeout)
	if option&mach.SendNotify != 0 && !limit.Timed {
		limit = ports.Millis(true, 0)
	}
	switch s.zone.Send(k, c.Waiter(), limit, false) {
	case ports.SendKernel:
		s.serve(c, k)
		return mach.MsgSuccess
	case ports.SendTimedOut:
		switch {
		case option&mach.SendNotify == 0:
			mr = mach.SendTimedOut
		case notify == mach.NameNull:
			mr = mach.SendInvalidNotify
		default:
			if mr = c.Space().Force(k, notify); mr == mach.SendWillNotify {
				return mr
			}
		}
	case ports.SendInterrupted:
		mr = mach.SendInterrupted
	default:
		return mach.MsgSuccess
	}
	return mr | k.pseudoReceive(c, msg)
}

// receive is the second half of MsgTrap.
func (s *System) receive(c Caller, msg mach.Addr, option mach.MsgOption, size uint32, name mach.Name, timeout uint32, notify mach.Name) mach.MsgReturn {
	room := ^uint32(0)
	if option&mach.RcvLarge != 0 {
		room = size
	}
	limit := ports.Millis(option&mach.RcvTimeout != 0, timeout)
	m, needed, mr := c.Space().Receive(name, c.Waiter(), room, limit)
	if mr == mach.RcvTooLarge {
		var word [4]byte
		le.PutUint32(word[:], needed)
		c.Memory().WriteBytes(msg+offSize, word[:])
	}
	if mr != mach.MsgSuccess {
		return mr
	}
	k := m.(*Kmsg)
	if list := s.observers.Load(); list != nil {
		for _, o := range *list {
			o.MessageReceived(c, k)
		}
	}
	dead := mach.NameNull
	if option&mach.RcvNotify != 0 {
		dead = notify
	}
	switch {
	case needed > size:
		mr = mach.RcvTooLarge
	case option&mach.RcvNotify != 0 && notify == mach.NameNull:
		mr = mach.RcvInvalidNotify
	default:
		return k.copyout(c, msg, dead)
	}
	k.copyoutDest(c, msg)
	return mr
}
