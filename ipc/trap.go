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
//	1 SendMsgTooSmall   sendSize is less than a header or no multiple of 8; of 4,
//	                    if option is SEND and RCV alone and the message is small
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
	var reply *Kmsg
	if option&mach.SendMsg != 0 {
		var mr mach.MsgReturn
		if reply, mr = s.send(c, msg, option, sendSize, timeout, notify); mr != mach.MsgSuccess {
			return mr
		}
	}
	if option&mach.RcvMsg == 0 {
		if reply != nil {
			s.deliver(c, reply)
		}
		return mach.MsgSuccess
	}
	room := ^uint32(0)
	if option&mach.RcvLarge != 0 {
		room = rcvSize
	}
	if reply != nil {
		if s.pass(c, reply, rcvName, room) {
			return s.take(c, reply, msg, option, rcvSize, notify)
		}
	}
	return s.receive(c, msg, option, rcvSize, rcvName, room, timeout, notify)
}

// pass sends the kernel's reply to a call of c that goes on to receive from name. It
// reports true if the reply is what is received: then the caller has it.
func (s *System) pass(c Caller, reply *Kmsg, name mach.Name, room uint32) bool {
	if s.longWay || !reply.Remote.Valid() {
		s.deliver(c, reply)
		return false
	}
	s.observeSent(c, reply)
	if c.Space().Pass(reply, name, room) {
		return true
	}
	s.enqueue(c, reply)
	return false
}

// send is the first half of MsgTrap. A reply is the kernel's to a message that it
// served, and the caller's to send.
func (s *System) send(c Caller, msg mach.Addr, option mach.MsgOption, size, timeout uint32, notify mach.Name) (reply *Kmsg, mr mach.MsgReturn) {
	k, remote, local, mr := s.get(c.Memory(), msg, option, size)
	if mr != mach.MsgSuccess {
		return nil, mr
	}
	cancel := mach.NameNull
	if option&mach.SendCancel != 0 {
		if cancel = notify; cancel == mach.NameNull {
			k.refund()
			return nil, mach.SendInvalidNotify
		}
	}
	if mr = k.copyin(c, remote, local, cancel); mr != mach.MsgSuccess {
		return nil, mr
	}
	s.observeSent(c, k)
	limit := ports.Millis(option&mach.SendTimeout != 0, timeout)
	if option&mach.SendNotify != 0 && !limit.Timed {
		limit = ports.Millis(true, 0)
	}
	switch s.zone.Send(k, c.Waiter(), limit, false) {
	case ports.SendKernel:
		return s.serve(c, k), mach.MsgSuccess
	case ports.SendTimedOut:
		switch {
		case option&mach.SendNotify == 0:
			mr = mach.SendTimedOut
		case notify == mach.NameNull:
			mr = mach.SendInvalidNotify
		default:
			if mr = c.Space().Force(k, notify); mr == mach.SendWillNotify {
				return nil, mr
			}
		}
	case ports.SendInterrupted:
		mr = mach.SendInterrupted
	default:
		return nil, mach.MsgSuccess
	}
	return nil, mr | k.pseudoReceive(c, msg)
}

// receive is the second half of MsgTrap. A message of more than room bytes stays
// queued.
func (s *System) receive(c Caller, msg mach.Addr, option mach.MsgOption, size uint32, name mach.Name, room, timeout uint32, notify mach.Name) mach.MsgReturn {
	limit := ports.Millis(option&mach.RcvTimeout != 0, timeout)
	m, needed, mr := c.Space().Receive(name, c.Waiter(), room, limit)
	if mr == mach.RcvTooLarge {
		var word [4]byte
		le.PutUint32(word[:], needed)
		write(c.Memory(), msg+offSize, word[:])
	}
	if mr != mach.MsgSuccess {
		return mr
	}
	return s.take(c, m.(*Kmsg), msg, option, size, notify)
}

// take gives a message that left its queue to the receiver, whose buffer has size
// bytes.
func (s *System) take(c Caller, k *Kmsg, msg mach.Addr, option mach.MsgOption, size uint32, notify mach.Name) (mr mach.MsgReturn) {
	s.observeReceived(c, k)
	dead := mach.NameNull
	if option&mach.RcvNotify != 0 {
		dead = notify
	}
	switch {
	case k.Size > size:
		mr = mach.RcvTooLarge
	case option&mach.RcvNotify != 0 && notify == mach.NameNull:
		mr = mach.RcvInvalidNotify
	default:
		return k.copyout(c, msg, dead)
	}
	k.copyoutDest(c, msg)
	return mr
}
