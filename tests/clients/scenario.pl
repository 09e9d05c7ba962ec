#!/usr/bin/perl
# The drivers' scenario with DBD::Pg.
#
# usage: scenario.pl MODE HOST FOLDER PORT USER DATABASE
# MODE is `whole` or `masked`; FOLDER holds the Unix socket; the password is
# in PGPASSWORD. Each line starts with the name of its step.
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg qw(:pg_types :async);

my ($mode, $host, $folder, $port, $user, $database) = @ARGV;
my $customers = 'SELECT id, email, card_number, birth_date, credit_limit, '
	. 'city FROM customers WHERE id <= 50 ORDER BY id';
my @wrong = (
	'SELECT 1/0',
	'SELECT nothing',
	'SELEC 1',
	"SELECT 'x'::int",
	'SELECT 41::knots',
	'SELECT * FROM nowhere',
	'INSERT INTO ledger VALUES (1, NULL, 1)',
	"INSERT INTO ledger VALUES (1, 'one', 1), (1, 'again', 1)",
	"INSERT INTO ledger VALUES (1, 'one', -1)",
	"INSERT INTO ledger VALUES (1, 'one', 1, 0)",
	"SELECT speak('EXCEPTION', 'a word')",
	'DO $$ BEGIN PERFORM nothing; END $$',
);
my $step;
binmode STDOUT, ':encoding(UTF-8)';
$| = 1;

sub text {
	my ($value) = @_;
	return 'undef' unless defined $value;
	return '[' . join(', ', map { text($_) } @$value) . ']'
		if ref $value eq 'ARRAY';
	return '{' . join(', ', map { "$_: " . text($value->{$_}) }
		sort keys %$value) . '}' if ref $value eq 'HASH';
	return $value =~ s/\n/\\n/gr;
}

sub saw { print "$step: ", join(' ', map { text($_) } @_), "\n" }

sub open_at {
	my ($where, %more) = @_;
	my $options = delete $more{options};
	return DBI->connect("dbi:Pg:host=$where;port=$port;dbname=$database"
		. ($options ? ";options=$options" : ''),
		$user, $ENV{PGPASSWORD}, {
		RaiseError => 1, PrintError => 0, PrintWarn => 0, Warn => 0,
		AutoCommit => 1, pg_enable_utf8 => 1, %more });
}

# Everything a statement gives.
sub result {
	my ($c, $sql, @values) = @_;
	my $st = $c->prepare($sql);
	my $rows = $st->execute(@values);
	saw($rows, $st->{pg_cmd_status});
	return unless $st->{NUM_OF_FIELDS};
	saw($st->{NAME}, $st->{TYPE}, $st->{pg_type}, $st->{PRECISION},
		$st->{SCALE}, $st->{NULLABLE});
	while (my $row = $st->fetchrow_arrayref) { saw($row) }
}

# Something that must fail, and how it did.
sub attempt {
	my ($c, $work) = @_;
	if (eval { $work->(); 1 }) { saw('did not fail'); return }
	saw($c->state, $c->err, $c->errstr);
	saw({ map { $_ => $c->pg_error_field($_) } qw(severity
		severity_nonlocal state primary detail hint
		statement_position internal_position internal_query context
		schema table column type constraint source_file source_line
		source_function) });
}

sub copied_out {
	my ($c, $sql) = @_;
	my (@rows, $row);
	$c->do($sql);
	while ($c->pg_getcopydata($row) >= 0) { push @rows, $row }
	return join '', @rows;
}

sub copied_in {
	my ($c, $sql, @parts) = @_;
	$c->do($sql);
	$c->pg_putcopydata($_) for @parts;
	return $c->pg_putcopyend;
}

my @steps = (
	connection => sub {
		my $c = shift;
		my $tuned = open_at($host,
			options => "'-c work_mem=123kB -c datestyle=sql,dmy'");
		result($tuned, 'SELECT current_setting(?), current_user, '
			. 'session_user, current_setting(?)', 'work_mem',
			'DateStyle');
		saw($c->{pg_server_version}, $c->{pg_db}, $c->{pg_protocol},
			$c->{pg_standard_conforming_strings},
			$c->{pg_default_port}, $c->{pg_errorlevel}, $c->ping);
		saw('its process id: ' . ($c->{pg_pid} == $c->selectrow_array(
			'SELECT pg_backend_pid()')));
		saw(map { [ @$_[1 .. 3] ] } @{ $c->table_info('', 'public',
			'%', 'TABLE')->fetchall_arrayref });
		saw(map { [ @$_[3 .. 11] ] } @{ $c->column_info('', 'public',
			'ledger', '%')->fetchall_arrayref });
		saw($c->primary_key('', 'public', 'ledger'));
	},
	types => sub {
		my $c = shift;
		result($c, 'SELECT * FROM every_type ORDER BY n');
		$c->{pg_expand_array} = 0;
		result($c, 'SELECT * FROM every_type WHERE n > ? ORDER BY n', 0);
	},
	parameters => sub {
		my $c = shift;
		$c->{pg_expand_array} = 0;
		$c->do('CREATE TEMP TABLE again (LIKE every_type)');
		my $from = $c->prepare('SELECT * FROM every_type ORDER BY n');
		$from->execute;
		my $into = $c->prepare('INSERT INTO again VALUES ('
			. join(',', ('?') x $from->{NUM_OF_FIELDS}) . ')');
		while (my $row = $from->fetchrow_arrayref) {
			for my $i (0 .. $#$row) {
				$into->bind_param($i + 1, $row->[$i],
					$from->{pg_type}[$i] eq 'bytea'
					? { pg_type => PG_BYTEA } : undef);
			}
			saw($into->execute);
		}
		result($c, 'SELECT e.n, a::text = e::text FROM again a JOIN '
			. 'every_type e USING (n) ORDER BY n');
		result($c, 'SELECT ?::text[], ?::int[]', [ 'x', 'a "b"', undef ],
			[ 1, 2 ]);
	},
	prepared => sub {
		my $c = shift;
		my $st = $c->prepare('SELECT count(*), max(status) FROM orders '
			. 'WHERE customer_id = ?');
		for my $i (0 .. 19) {
			$st->execute($i);
			saw($st->fetchall_arrayref);
		}
		saw($st->{pg_prepare_now}, $st->{ParamTypes});
		my $direct = $c->prepare('SELECT ?::int + 1',
			{ pg_server_prepare => 0 });
		for my $i (0 .. 2) {
			$direct->execute($i);
			saw($direct->fetchrow_array);
		}
		attempt($c, sub { $st->execute('x') });
		$st->execute(7);
		saw($st->fetchall_arrayref);
		result($c, 'SELECT statement, from_sql FROM '
			. 'pg_prepared_statements WHERE statement LIKE ?', '%max%');
	},
	transaction => sub {
		my $c = shift;
		$c->do('TRUNCATE ledger');
		$c->begin_work;
		$c->do("INSERT INTO ledger VALUES (1, 'kept', 1)");
		$c->pg_savepoint('here');
		attempt($c, sub {
			$c->do("INSERT INTO ledger VALUES (1, 'twice', 1)") });
		attempt($c, sub { $c->do('SELECT 1') });
		saw($c->ping, $c->state);
		$c->pg_rollback_to('here');
		$c->pg_release('here');
		$c->commit;
		$c->begin_work;
		$c->do("INSERT INTO ledger VALUES (2, 'lost', 1)");
		$c->rollback;
		$c->{AutoCommit} = 0;
		attempt($c, sub { $c->do('SELECT 1/0') });
		$c->rollback;
		$c->{AutoCommit} = 1;
		result($c, 'TABLE ledger');
	},
	cursor => sub {
		my $c = shift;
		$c->begin_work;
		$c->do('DECLARE part SCROLL CURSOR FOR SELECT id, status '
			. 'FROM orders ORDER BY id');
		result($c, "FETCH $_ FROM part") for 3, 'BACKWARD 2', 'LAST', 0;
		$c->do('CLOSE part');
		attempt($c, sub { $c->do('FETCH part') });
		$c->rollback;
		my $some = $c->prepare('SELECT id FROM orders ORDER BY id');
		$some->execute;
		saw($some->fetchrow_array) for 1 .. 5;
		$some->finish;
	},
	batch => sub {
		my $c = shift;
		$c->do('TRUNCATE ledger');
		my $into = $c->prepare('INSERT INTO ledger VALUES (?, ?, ?)');
		my @status;
		saw(scalar $into->execute_array({ ArrayTupleStatus => \@status },
			[ 1 .. 50 ], [ map { "no. $_" } 1 .. 50 ], 1));
		saw(\@status);
		$into->{RaiseError} = 0;
		saw(scalar $into->execute_array({ ArrayTupleStatus => \@status },
			[ 51, 1, 52 ], 'x', 1));
		saw(\@status);
		result($c, 'SELECT count(*) FROM ledger');
	},
	several => sub {
		my $c = shift;
		saw($c->do('SELECT 1; SELECT 2; TRUNCATE ledger'));
		attempt($c, sub { $c->do("INSERT INTO ledger VALUES "
			. "(9, 'undone', 1); SELECT 1/0; SELECT 2") });
		result($c, 'TABLE ledger');
	},
	copy => sub {
		my $c = shift;
		$c->do('CREATE TEMP TABLE again (LIKE every_type)');
		for my $format (qw(text csv binary)) {
			my $data = copied_out($c,
				"COPY every_type TO STDOUT (FORMAT $format)");
			saw($format, unpack('H*', $data =~ s/([^\0-\xff])/
				my $wide = $1; utf8::encode($wide); $wide/egr));
			# in text the driver takes characters, in binary bytes
			saw(copied_in($c, "COPY again FROM STDIN (FORMAT $format)",
				$data));
		}
		result($c, 'SELECT e.n, count(*), bool_and(a::text = e::text) '
			. 'FROM again a JOIN every_type e USING (n) '
			. 'GROUP BY e.n ORDER BY n');
		$c->do('TRUNCATE ledger');
		saw(copied_in($c, 'COPY ledger FROM STDIN', "1\ta\t1\t\\N\n",
			"2\tb\t", "2\t\\N\n"));
		attempt($c, sub { copied_in($c, 'COPY ledger FROM STDIN',
			"1\ttwice\t1\t\\N\n") });
		attempt($c, sub { $c->do('COPY nowhere TO STDOUT') });
		result($c, 'SELECT * FROM ledger ORDER BY id');
	},
	notify => sub {
		my $c = shift;
		my $other = open_at($host);
		$c->do('LISTEN gale');
		$other->do('NOTIFY gale');
		$other->do('SELECT pg_notify(?, ?)', undef, 'gale', 'naïve 東京');
		my $heard = 0;
		while ($heard < 2) {
			$c->do('SELECT 1');
			while (my $n = $c->pg_notifies) {
				saw($n->[0], $n->[2], $n->[1] == $other->{pg_pid});
				$heard++;
			}
		}
	},
	cancel => sub {
		my $c = shift;
		my $other = open_at($host);
		my $st = $c->prepare('SELECT pg_sleep(60)',
			{ pg_async => PG_ASYNC });
		$st->execute;
		my $end = time + 20;
		while (time < $end) {
			last if $other->selectrow_array('SELECT 1 FROM '
				. 'pg_stat_activity WHERE pid = ? AND '
				. "wait_event = 'PgSleep'", undef, $c->{pg_pid});
		}
		saw($c->pg_cancel, $c->state);
		result($c, "SELECT 'on it goes'");
		$c->do('SET statement_timeout = 50');
		attempt($c, sub { $c->do('SELECT pg_sleep(60)') });
	},
	errors => sub {
		my $c = shift;
		$c->do('TRUNCATE ledger');
		for my $wrong (@wrong) {
			attempt($c, sub { $c->do($wrong) });
			attempt($c, sub { $c->prepare($wrong)->execute });
		}
		attempt($c, sub { result($c, 'SELECT ?::int', 'x') });
	},
	large => sub {
		my $c = shift;
		my $text = 'naïve 東京 ' x 400000;
		my ($back) = $c->selectrow_array('SELECT ?::text', undef, $text);
		saw(length $back, $back eq $text);
		my $st = $c->prepare('SELECT ?::bytea');
		my $bytes = join('', map { chr } 0 .. 255) x 20000;
		$st->bind_param(1, $bytes, { pg_type => PG_BYTEA });
		$st->execute;
		($back) = $st->fetchrow_array;
		saw(length $back, $back eq $bytes);
	},
	columns => sub {
		my $c = shift;
		result($c, 'SELECT ' . join(',', map { "$_ AS column_$_" }
			1 .. 1600));
		my @row = $c->selectrow_array('SELECT ' . join(',',
			('?::int') x 1600), undef, 1 .. 1600);
		saw(scalar @row, eval { my $sum = 0; $sum += $_ for @row; $sum });
	},
	notices => sub {
		my $c = shift;
		$c->{PrintWarn} = 1;
		local $SIG{__WARN__} = sub { saw('notice', $_[0]) };
		$c->do('COMMIT');
		$c->do('DROP TABLE IF EXISTS nowhere');
		result($c, "SELECT speak('NOTICE', 'a word')");
		result($c, "SELECT speak('WARNING', ?)", 'two');
	},
	settings => sub {
		my $c = shift;
		for my $sql ("SET TimeZone = 'Asia/Tokyo'",
			'SELECT instant, day FROM every_type WHERE n = 1',
			"SET DateStyle = 'SQL, DMY'",
			'SELECT instant, day FROM every_type WHERE n = 1',
			'SET search_path = harbour, public',
			'SELECT * FROM products LIMIT 1', 'RESET search_path',
			'SELECT * FROM products ORDER BY id LIMIT 1',
			'SET ROLE clerk', 'SELECT current_user, session_user',
			'RESET ROLE', 'SET bytea_output = escape',
			'SELECT bytes FROM every_type WHERE n = 1',
			'DISCARD ALL') {
			result($c, $sql);
		}
	},
	two => sub {
		my $c = shift;
		my $other = open_at($host);
		$c->do('TRUNCATE ledger');
		$c->begin_work;
		$c->do("INSERT INTO ledger VALUES (1, 'one', 1)");
		result($other, 'SELECT count(*) FROM ledger');
		$other->do('SET lock_timeout = 50');
		attempt($other, sub {
			$other->do("INSERT INTO ledger VALUES (1, 'other', 1)") });
		$c->commit;
		result($other, 'TABLE ledger');
	},
	socket => sub {
		result(open_at($folder),
			'SELECT id, name FROM products ORDER BY id LIMIT 3');
	},
	empty => sub {
		my $c = shift;
		saw($c->do($_)) for '', ';', '-- nothing';
		result($c, $_) for 'SELECT 1 WHERE false', "SELECT ''";
	},
	functions => sub {
		my $c = shift;
		$c->begin_work;
		my $id = $c->pg_lo_creat($c->{pg_INV_READ} | $c->{pg_INV_WRITE});
		my $fd = $c->pg_lo_open($id, $c->{pg_INV_WRITE});
		saw($c->pg_lo_write($fd, 'harbour', 7), $c->pg_lo_lseek($fd, 2, 0),
			$c->pg_lo_tell($fd));
		my $buffer = '';
		saw($c->pg_lo_read($fd, $buffer, 4), $buffer);
		saw($c->pg_lo_close($fd), $c->pg_lo_unlink($id));
		$c->commit;
	},
);

my @ways = (
	plain => sub { $_[0]->selectall_arrayref($customers) },
	prepared => sub {
		my $st = $_[0]->prepare($customers =~ s/<= 50/<= ?/r);
		$st->execute(50);
		return $st->fetchall_arrayref;
	},
	cursor => sub {
		my ($c, @rows) = @_;
		$c->begin_work;
		$c->do("DECLARE part CURSOR FOR $customers");
		for (1 .. 10) {
			push @rows, @{ $c->selectall_arrayref('FETCH 7 part') };
		}
		$c->commit;
		return \@rows;
	},
	by_name => sub {
		my $found = $_[0]->selectall_hashref($customers, 'id');
		return [ map { [ @$_{qw(id email card_number birth_date
			credit_limit city)} ] } map { $found->{$_} } 1 .. 50 ];
	},
	copied => sub {
		return [ map { [ split /\t/ ] } split /\n/, copied_out($_[0],
			"COPY ($customers) TO STDOUT") ];
	},
);

my @todo = $mode eq 'masked' ? @ways : @steps;
my $status = 0;
while (my ($name, $work) = splice @todo, 0, 2) {
	$step = $name;
	my $rows = eval { $work->(open_at($host)) };
	if ($@) {
		saw('STOPPED', $@);
		$status = 1;
	} elsif ($mode eq 'masked') {
		print join('|', $step, @$_), "\n" for @$rows;
	}
}
exit $status;
