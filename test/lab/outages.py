"""What can happen to two machines: each function breaks something, waits, and
makes it whole again.

    FAULTS['lose_primary'](lab, rng)

rng (random.Random) says how long and which.  Afterwards calm(lab) waits until
the machines are well again by themselves.
"""
import time

from lab import VMS, wait_until
from process import Failure

WORKERS = ('simple', 'upload', 'changelog', 'peer')
CALM_S = 240            # for the machines to be well again
FAILOVER_S = 120
FAULTS = {}


def fault(function):
    FAULTS[function.__name__] = function
    return function


def either(lab, rng):
    return lab.vm[rng.choice(VMS)]


def other(lab, vm):
    return next(one for one in lab.vm.values() if one is not vm)


def primary(lab):
    return wait_until('a primary', lab.primary, CALM_S)


def replica(lab):
    return other(lab, primary(lab))


def is_calm(lab):
    """Both serve, the replica is waited for, and nothing is marked."""
    return all(one.is_up() for one in lab.vm.values()) and \
        lab.streams() and all(
            lab.get(lab.url(name) + '/-/ready')[0] == 200
            for name in ('floating', *VMS))


def calm(lab, patience_s=CALM_S):
    wait_until('both machines are well', lambda: is_calm(lab), patience_s)


def pause(rng, least, most):
    time.sleep(rng.uniform(least, most))


@fault
def nothing(_, rng):
    pause(rng, 1, 3)


# Processes.

@fault
def kill_workers(lab, rng):
    either(lab, rng).kill(rng.choice(WORKERS))


@fault
def freeze_workers(lab, rng):
    freeze(lab, rng, either(lab, rng), rng.choice(WORKERS), 0.2, 3)


def freeze(_, rng, vm, part, least, most):
    vm.freeze(part)
    pause(rng, least, most)
    vm.thaw(part)


@fault
def kill_runner(lab, rng):
    either(lab, rng).kill('runner')


@fault
def restart_nginx(lab, rng):
    either(lab, rng).restart('nginx')


@fault
def stop_keepalived(lab, rng):
    vm = lab.holder() or either(lab, rng)
    vm.stop('keepalived')
    pause(rng, 1, 5)
    vm.start('keepalived')


# memcached.

@fault
def restart_memcached(lab, rng):
    either(lab, rng).restart('memcached')


@fault
def empty_memcached(lab, rng):
    either(lab, rng).empty()


@fault
def stop_memcached(lab, rng):
    vm = either(lab, rng)
    vm.stop('memcached')
    pause(rng, 1, 5)
    vm.start('memcached')


@fault
def freeze_memcached(lab, rng):
    freeze(lab, rng, either(lab, rng), 'memcached', 0.05, 8)


# PostgreSQL.

@fault
def restart_primary(lab, _):
    primary(lab).restart('postgresql')


@fault
def kill_primary(lab, _):
    """Of a machine's processes one is killed: all of them start anew."""
    vm = primary(lab)
    vm.kill('postgresql')
    vm.start('postgresql')


@fault
def freeze_primary(lab, rng):
    freeze(lab, rng, primary(lab), 'postgresql', 0.5, 8)


@fault
def kill_replica(lab, _):
    vm = replica(lab)
    vm.kill('postgresql')
    vm.start('postgresql')


@fault
def stop_replica(lab, rng):
    """Long enough for the primary to go on alone."""
    vm = replica(lab)
    vm.stop('postgresql')
    pause(rng, 1, 10)
    vm.start('postgresql')


@fault
def freeze_replica(lab, rng):
    freeze(lab, rng, replica(lab), 'postgresql', 0.5, 6)


# Wires.

@fault
def cut_machines(lab, rng):
    lab.cut('vm-a', 'vm-b')
    pause(rng, 1, 15)
    lab.heal('vm-a', 'vm-b')


@fault
def cut_one_way(lab, rng):
    a, b = rng.sample(VMS, 2)
    lab.cut(a, b, one_way=True)
    pause(rng, 1, 10)
    lab.heal('vm-a', 'vm-b')


@fault
def cut_memcached(lab, rng):
    a, b = rng.sample(VMS, 2)
    lab.cut(a, b, one_way=rng.random() < 0.5, ports=[11211])
    pause(rng, 1, 8)
    lab.heal('vm-a', 'vm-b')


@fault
def cut_files(lab, rng):
    lab.cut('vm-a', 'vm-b', ports=[8081])
    pause(rng, 1, 8)
    lab.heal('vm-a', 'vm-b')


@fault
def cut_third_machine(lab, rng):
    name = rng.choice(VMS)
    lab.cut(name, 'client')
    pause(rng, 1, 5)
    lab.heal(name, 'client')


@fault
def slow_wire(lab, rng):
    lab.slow('vm-a', 'vm-b', rng.choice([64, 256, 2048]))
    pause(rng, 2, 10)
    lab.heal('vm-a', 'vm-b')


@fault
def lossy_wire(lab, rng):
    lab.lossy('vm-a', 'vm-b', rng.choice([5, 20, 50]))
    pause(rng, 2, 10)
    lab.heal('vm-a', 'vm-b')


@fault
def cut_client(lab, rng):
    """Those who look cannot reach one of the machines."""
    name = rng.choice(VMS)
    lab.cut(name, 'host')
    pause(rng, 1, 5)
    lab.heal(name, 'host')


# Disks and whole machines.

@fault
def fill_disk(lab, rng):
    vm = either(lab, rng)
    vm.fill()
    pause(rng, 0.5, 3)
    vm.unfill()
    for part in ('postgresql', 'memcached'):    # as the runbook says
        vm.start(part)


@fault
def lose_replica(lab, rng):
    vm = replica(lab)
    vm.lose()
    pause(rng, 1, 10)
    vm.boot()


@fault
def lose_primary_for_a_moment(lab, _):
    """It is back before anybody decides anything."""
    vm = primary(lab)
    vm.lose()
    vm.boot()


@fault
def lose_primary(lab, rng):
    """The other one takes its place, and it comes back as the replica."""
    old = primary(lab)
    new = other(lab, old)
    old.lose()
    pause(rng, 0, 3)
    new.tilsit('failover', timeout=FAILOVER_S)
    pause(rng, 0, 5)
    old.boot()
    old.run('tilsit rejoin', timeout=FAILOVER_S)


@fault
def lose_both(lab, rng):
    """A power cut."""
    for vm in lab.vm.values():
        vm.lose()
    for vm in rng.sample(list(lab.vm.values()), 2):
        vm.boot()


@fault
def rolling_restart(lab, _):
    for vm in lab.vm.values():
        for part in ('memcached', *WORKERS, 'runner', 'nginx'):
            vm.restart(part)


def mend(lab):
    """Whatever a fault that failed half-way left broken."""
    lab.heal()
    for vm in lab.vm.values():
        if not vm.is_up():
            vm.boot()
        vm.unfill()
        for part in ('postgresql', 'memcached', 'nginx', 'keepalived',
                     *WORKERS, 'runner'):
            try:
                vm.thaw(part)
                vm.start(part)
            except Failure:
                pass
