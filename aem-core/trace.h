/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM aem

#if !defined(_AEM_CORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _AEM_CORE_TRACE_H

#include <linux/tracepoint.h>
#include <aem/service.h>
#include "event.h"

DECLARE_EVENT_CLASS(aem_event,
	TP_PROTO(const struct event_struct *ev),
	TP_ARGS(ev),
	TP_STRUCT__entry(
		__field(const void *, proc)
		__field(u64, id)
		__field(u16, nr)
		__field(u16, state)
		__field(u8, prio)
		__field(u32, count)
	),
	TP_fast_assign(
		__entry->proc = ev->proc;
		__entry->id = aem_event_id(ev);
		__entry->nr = ev->nr;
		__entry->state = ev->state;
		__entry->prio = ev->prio;
		__entry->count = ev->count;
	),
	TP_printk("proc=%p id=0x%llx nr=%u prio=%u state=0x%x count=%u",
		  __entry->proc, __entry->id, __entry->nr, __entry->prio,
		  __entry->state, __entry->count)
);

DEFINE_EVENT(aem_event, aem_register,
	TP_PROTO(const struct event_struct *ev), TP_ARGS(ev));
DEFINE_EVENT(aem_event, aem_unregister,
	TP_PROTO(const struct event_struct *ev), TP_ARGS(ev));
DEFINE_EVENT(aem_event, aem_activate,
	TP_PROTO(const struct event_struct *ev), TP_ARGS(ev));
DEFINE_EVENT(aem_event, aem_done,
	TP_PROTO(const struct event_struct *ev), TP_ARGS(ev));

TRACE_EVENT(aem_construct,
	TP_PROTO(const struct event_struct *ev, int ret),
	TP_ARGS(ev, ret),
	TP_STRUCT__entry(
		__field(const void *, proc)
		__field(u64, id)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->proc = ev->proc;
		__entry->id = aem_event_id(ev);
		__entry->ret = ret;
	),
	TP_printk("proc=%p id=0x%llx ret=%d", __entry->proc, __entry->id, __entry->ret)
);

DECLARE_EVENT_CLASS(aem_manage,
	TP_PROTO(const struct aem_service *from, const struct aem_service *to,
		 const struct aem_manage *arg),
	TP_ARGS(from, to, arg),
	TP_STRUCT__entry(
		__array(char, name, AEM_NAME_MAX)
		__field(u32, from)
		__field(u32, to)
		__field(u32, contexts)
		__field(u32, moved)
		__field(u32, refused)
		__field(u32, held)
		__field(u64, pause)
	),
	TP_fast_assign(
		strscpy(__entry->name, from->name, AEM_NAME_MAX);
		__entry->from = from->version;
		__entry->to = to ? to->version : 0;
		__entry->contexts = arg->contexts;
		__entry->moved = arg->moved;
		__entry->refused = arg->refused;
		__entry->held = arg->held;
		__entry->pause = arg->pause;
	),
	TP_printk("service=%s from=%u to=%u contexts=%u moved=%u refused=%u held=%u pause=%llu",
		  __entry->name, __entry->from, __entry->to, __entry->contexts,
		  __entry->moved, __entry->refused, __entry->held, __entry->pause)
);

DEFINE_EVENT(aem_manage, aem_swap,
	TP_PROTO(const struct aem_service *from, const struct aem_service *to,
		 const struct aem_manage *arg),
	TP_ARGS(from, to, arg));
DEFINE_EVENT(aem_manage, aem_revoke,
	TP_PROTO(const struct aem_service *from, const struct aem_service *to,
		 const struct aem_manage *arg),
	TP_ARGS(from, to, arg));

TRACE_EVENT(aem_doorbell,
	TP_PROTO(const struct aem_process *proc, u32 prio),
	TP_ARGS(proc, prio),
	TP_STRUCT__entry(
		__field(const void *, proc)
		__field(int, owner)
		__field(u32, prio)
	),
	TP_fast_assign(
		__entry->proc = proc;
		__entry->owner = proc->owner->pid;
		__entry->prio = prio;
	),
	TP_printk("proc=%p owner=%d prio=%u", __entry->proc, __entry->owner,
		  __entry->prio)
);

TRACE_EVENT(aem_hint,
	TP_PROTO(const struct aem_process *proc, u32 value, int nice),
	TP_ARGS(proc, value, nice),
	TP_STRUCT__entry(
		__field(const void *, proc)
		__field(int, owner)
		__field(u32, value)
		__field(int, nice)
	),
	TP_fast_assign(
		__entry->proc = proc;
		__entry->owner = proc->owner->pid;
		__entry->value = value;
		__entry->nice = nice;
	),
	TP_printk("proc=%p owner=%d value=%u nice=%d", __entry->proc, __entry->owner,
		  __entry->value, __entry->nice)
);

TRACE_EVENT(aem_realtime,
	TP_PROTO(const struct aem_process *proc, bool on, s64 left),
	TP_ARGS(proc, on, left),
	TP_STRUCT__entry(
		__field(const void *, proc)
		__field(int, owner)
		__field(bool, on)
		__field(s64, left)
	),
	TP_fast_assign(
		__entry->proc = proc;
		__entry->owner = proc->owner->pid;
		__entry->on = on;
		__entry->left = left;
	),
	TP_printk("proc=%p owner=%d %s left=%lld", __entry->proc, __entry->owner,
		  __entry->on ? "on" : "off", __entry->left)
);

#ifdef AEM_REDIRECT
TRACE_EVENT(aem_redirect,
	TP_PROTO(const struct aem_process *proc, unsigned long ip, bool done),
	TP_ARGS(proc, ip, done),
	TP_STRUCT__entry(
		__field(const void *, proc)
		__field(unsigned long, ip)
		__field(bool, done)
	),
	TP_fast_assign(
		__entry->proc = proc;
		__entry->ip = ip;
		__entry->done = done;
	),
	TP_printk("proc=%p ip=0x%lx %s", __entry->proc, __entry->ip,
		  __entry->done ? "redirected" : "by signal")
);
#endif

#endif /* _AEM_CORE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
