using System.Diagnostics;
using Microsoft.Extensions.Options;
using Platform.Gateway.Backend;
using Platform.Gateway.ChangeStreams;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Sockets;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Replication;

/// <summary>
/// What this member is and becomes, with all that its PostgreSQL is made to do for it. Each step has it alone: a vote that is asked for,
/// a promotion, a copy. The first time that anything is done is in <see cref="Election"/> and <see cref="MemberService"/>.
/// </summary>
internal sealed partial class MemberLife(
    PostgresServer server,
    LocalDatabase database,
    Fence fence,
    Heartbeats heartbeats,
    BackendStartup startup,
    BackendPool pool,
    ChangeHistory history,
    ReplicaSet replicaSet,
    MemberState state,
    IOptions<GatewayOptions> options,
    ILogger<MemberLife> logger) : IDisposable
{
    private static readonly TimeSpan s_startPatience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_startPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_promotionPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_streamPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_historyPatience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Lock _recordGate = new();
    private readonly string _data = options.Value.DataDirectory ?? "";
    private ElectionRecord _record = new(0, 0, 0);
    private CancellationTokenSource? _longWork;
    private (int Number, long Term)? _source;
    private long _streamedAt;
    private long _answeredAt;
    private bool _rewound;
    private long _votedAt;
    private volatile bool _isBeingPromoted;

    /// <summary>What is remembered of elections.</summary>
    public ElectionRecord Record => Volatile.Read(ref _record);

    /// <summary>Whether this member won an election and is, or is about to be, primary.</summary>
    public bool Leads => LeadsIn != 0;

    /// <summary>The term of that election; zero when it leads in none.</summary>
    public long LeadsIn { get; private set; }

    /// <summary>Whether PostgreSQL runs and was found to answer since it was started.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Whether PostgreSQL is not there any more although it should be.</summary>
    public bool HasLostServer => IsReady && !server.IsRunning;

    /// <summary>Whether this member has data.</summary>
    public bool HasData => server.HasCluster;

    /// <summary>Whether it follows a member as the primary of a term.</summary>
    public bool Follows(Member member, long term) => _source == (member.Number, term);

    /// <summary>
    /// Whether it has given its vote to another member a moment ago, or won an election itself: who was elected needs a moment until it can say so.
    /// </summary>
    public bool HasJustVoted => _isBeingPromoted || (_votedAt != 0 && Stopwatch.GetElapsedTime(_votedAt) < s_promotionPatience);

    /// <summary>For how long PostgreSQL has not answered.</summary>
    public TimeSpan Silence => Stopwatch.GetElapsedTime(_answeredAt);

    /// <summary>Whether a primary is followed, but nothing has come from it for a while.</summary>
    public bool IsStuck => _source is not null && Stopwatch.GetElapsedTime(_streamedAt) > s_streamPatience;

    /// <summary>Reads what it knew, before anything else happens.</summary>
    public void Wake()
    {
        Directory.CreateDirectory(_data);
        MemberSockets.Prepare(options.Value.SocketDirectory!);
        _record = ElectionRecord.Read(_data);
        // A primary that was killed left it; this process starts no primary without an election.
        fence.Lower();
        state.Become(HasData ? MemberRole.Startup : MemberRole.Startup2, _record.Term);
        Tell();
    }

    /// <summary>Starts PostgreSQL as a standby that follows nobody, and waits until it answers.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => AloneAsync(
        () => IsReady || !HasData ? Task.CompletedTask : StartAloneAsync(cancellationToken), cancellationToken);

    /// <summary>Makes the first cluster of a set that has no data at all.</summary>
    public Task InitialiseAsync(CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            LogInitialising();
            await server.InitialiseAsync(cancellationToken);
            await StartAloneAsync(cancellationToken);
        },
        cancellationToken);

    /// <summary>Looks how far PostgreSQL is, and tells the others with the next heartbeat. Returns null when it does not answer.</summary>
    public async Task<Sample?> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var sample = await database.SampleAsync(cancellationToken);
            var lastTerm = Leads ? LeadsIn : await database.LastTermAsync(cancellationToken);
            _answeredAt = Stopwatch.GetTimestamp();
            if (sample.IsStreaming || sample.Applied > heartbeats.Own.Applied)
            {
                _streamedAt = _answeredAt;
            }

            _rewound &= !sample.IsStreaming;

            Tell(sample, lastTerm);
            return sample;
        }
        catch (Exception e) when (LocalDatabase.IsAway(e))
        {
            return null;
        }
    }

    /// <summary>A later term than any before: whoever is primary of an earlier one is none any more.</summary>
    public void Learn(long term)
    {
        if (Remember(r => term > r.Term ? r with { Term = term, Vote = 0 } : r) && !Leads)
        {
            state.Become(RoleNow(), term);
        }
    }

    /// <summary>
    /// Gives a vote, or does not: cuts the replication from the primary before, so that nothing is confirmed to that one any more which the
    /// next one does not have.
    /// </summary>
    /// <param name="candidate">The number of who asks.</param>
    /// <param name="term">For which term.</param>
    /// <param name="position">How much the candidate has.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public Task<Ballot> VoteAsync(int candidate, long term, Position position, CancellationToken cancellationToken)
    {
        // What takes long is for the primary that is to be replaced, or is begun again.
        _longWork?.Cancel();
        return AloneAsync(
            async () =>
            {
                if (!_record.MayVote(term, candidate))
                {
                    return new Ballot(false, $"its vote in term {_record.Term} is given", _record.Term, default);
                }

                if (Leads)
                {
                    return new Ballot(false, "this member is primary", _record.Term, default);
                }

                var own = await CutAloneAsync(cancellationToken);
                var granted = position >= own;
                Remember(r => !r.MayVote(term, candidate) ? r
                    : granted ? r with { Term = term, Vote = candidate }
                    : term > r.Term ? r with { Term = term, Vote = 0 } : r);
                if (granted && (_record.Term, _record.Vote) != (term, candidate))
                {
                    return new Ballot(false, $"term {_record.Term} has begun meanwhile", _record.Term, default);
                }

                _votedAt = granted ? Stopwatch.GetTimestamp() : _votedAt;
                state.Become(RoleNow(), term);
                Tell();
                return new Ballot(granted, granted ? "" : $"it has {position}, this member {own}", term, own);
            },
            cancellationToken);
    }

    /// <summary>
    /// Stands for election: the term after the latest, with its own vote. Returns how much this member has; null when it cannot stand.
    /// </summary>
    public Task<(long Term, Position Position)?> StandAsync(CancellationToken cancellationToken) => AloneAsync<(long, Position)?>(
        async () =>
        {
            // Who has voted since it was asked whether the others would vote for it would depose whom it has just helped to be elected.
            if (Leads || !IsReady || !server.IsRunning || heartbeats.Leader is not null || state.IsStopping || HasJustVoted)
            {
                return null;
            }

            var position = await CutAloneAsync(cancellationToken);
            Remember(r => r with { Term = r.Term + 1, Vote = replicaSet.Self.Number });
            state.Become(RoleNow(), _record.Term);
            Tell();
            return (_record.Term, position);
        },
        cancellationToken);

    /// <summary>
    /// Becomes primary, having won the election of a term: sees to it that nobody else is, promotes PostgreSQL, prepares it and takes
    /// writes. Does nothing when a later term has begun meanwhile.
    /// </summary>
    public Task LeadAsync(long term, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            if (_record.Term != term || _record.Vote != replicaSet.Self.Number || server.Mark is not { } mark)
            {
                return;
            }

            var started = Stopwatch.GetTimestamp();
            _isBeingPromoted = true;
            try
            {
                await fence.ShutOthersOutAsync(cancellationToken);
                fence.Raise(mark);
                Remember(r => r with { Followed = term });
                await database.PromoteAsync(term, cancellationToken);
                (LeadsIn, _source) = (term, null);
                Tell();
                await PrepareAsync(cancellationToken);
                state.Become(MemberRole.Primary, term);
                Tell();
                LogLeads(term, Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // It may be half a primary by now.
                await StepDownAloneAsync("it could not be made primary", cancellationToken);
                throw;
            }
            finally
            {
                _isBeingPromoted = false;
            }
        },
        cancellationToken);

    /// <summary>
    /// Is primary no more: takes no writes from now on, hands to the others what they do not have yet, and goes on as a standby. Does
    /// nothing when it is none.
    /// </summary>
    public Task StepDownAsync(string why, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            if (Leads)
            {
                await StepDownAloneAsync(why, cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>PostgreSQL has ended, or hangs: is primary no more and starts it as a standby.</summary>
    public Task RestartAsync(string why, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            if (IsReady && server.IsRunning && Silence < options.Value.ElectionTimeout)
            {
                return;
            }

            LogServerLost(why);
            await EndLeadershipAsync();
            await server.KillAsync();
            fence.Lower();
            await StartAloneAsync(cancellationToken);
        },
        cancellationToken);

    /// <summary>Follows a primary: as it is, or after taking back what that one does not have, or as a copy of it.</summary>
    public Task FollowAsync(Member primary, long term, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            if (Leads || term < _record.Term || heartbeats.Leader != primary)
            {
                return;
            }

            if (!HasData)
            {
                // What is copied before the primary is prepared would lack what every member serves.
                if (primary.Role == MemberRole.Primary)
                {
                    await CopyAsync(primary, term, cancellationToken);
                }

                return;
            }

            if (!await FollowAsItIsAsync(primary, term, cancellationToken))
            {
                await RejoinAsync(primary, term, cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>What a primary sends does not arrive: joins anew.</summary>
    public Task RejoinAsync(Member primary, CancellationToken cancellationToken) => AloneAsync(
        () => Leads ? Task.CompletedTask : RejoinAsync(primary, _record.Term, cancellationToken), cancellationToken);

    /// <summary>Stops PostgreSQL for good.</summary>
    public async Task StopAsync()
    {
        _longWork?.Cancel();
        await _gate.WaitAsync();
        try
        {
            await EndLeadershipAsync();
            await server.StopAsync();
            fence.Lower();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _longWork?.Dispose();
        _gate.Dispose();
    }

    private async Task<bool> FollowAsItIsAsync(Member primary, long term, CancellationToken cancellationToken)
    {
        if (!IsReady)
        {
            return false;
        }

        var sample = await database.SampleAsync(cancellationToken);
        var kinship = _record.Followed == term && _source is not null
            ? Kinship.Behind
            : await database.CompareAsync(primary, _record.Followed, sample.Received, cancellationToken);
        if (kinship != Kinship.Behind)
        {
            LogRelated(primary.Host, kinship, sample.Received, _record.Followed);
            _rewound = kinship == Kinship.Foreign;
            return false;
        }

        if (!await database.ReserveAsync(primary, cancellationToken))
        {
            LogTooLate(primary.Host);
        }

        RememberFollowed(term);
        database.Configure(primary);
        await database.ReloadAsync(cancellationToken);
        await database.DropSlotsAsync(cancellationToken);
        Settle(primary, term);
        return true;
    }

    /// <summary>Rewinds, or when that is of no use copies, and starts PostgreSQL again.</summary>
    private async Task RejoinAsync(Member primary, long term, CancellationToken cancellationToken)
    {
        (IsReady, _source) = (false, null);
        var had = new Position(heartbeats.Own.LastTerm, heartbeats.Own.Received);
        Remember(r => had > r.Owed ? r with { OwedTerm = had.Term, OwedEnd = had.End.Value } : r);
        state.Become(MemberRole.Recovering, term);
        Tell();
        await StopServerAsync();
        if (_rewound)
        {
            await CopyAsync(primary, term, cancellationToken);
            return;
        }

        LogRewinding(primary.Host);
        await database.CheckpointAsync(primary, cancellationToken);
        // The next time it is copied, unless something came by then.
        _rewound = true;
        if (await LongAsync(token => server.RewindAsync(primary.Number, token), cancellationToken))
        {
            await StartFollowingAsync(primary, term, cancellationToken);
        }
        else
        {
            await CopyAsync(primary, term, cancellationToken);
        }
    }

    private async Task CopyAsync(Member primary, long term, CancellationToken cancellationToken)
    {
        LogCopying(primary.Host);
        state.Become(MemberRole.Startup2, term);
        await StopServerAsync();
        await database.ReserveAsync(primary, cancellationToken);
        await LongAsync(token => server.CopyAsync(primary.Number, replicaSet.Self.Number, token), cancellationToken);
        await StartFollowingAsync(primary, term, cancellationToken);
    }

    private async Task StartFollowingAsync(Member primary, long term, CancellationToken cancellationToken)
    {
        await database.ReserveAsync(primary, cancellationToken);
        RememberFollowed(term);
        database.Configure(primary);
        // It answers when it has got from the primary what it needs, which that one may not live to send.
        await LongAsync(StartServerAsync, cancellationToken);
        server.EndRewind();
        Remember(static r => r with { OwedTerm = 0, OwedEnd = 0 });
        // What it had of the past is gone. A secondary may be primary the next moment, and change streams have to go on there.
        await LongAsync(token => history.BeginAsync(s_historyPatience, token), cancellationToken);
        Settle(primary, term);
    }

    private void Settle(Member primary, long term)
    {
        (_source, _streamedAt) = ((primary.Number, term), Stopwatch.GetTimestamp());
        state.Become(MemberRole.Secondary, term);
        Tell();
        LogFollows(primary.Host, term);
    }

    private async Task StartAloneAsync(CancellationToken cancellationToken)
    {
        database.Configure(null);
        await StartServerAsync(cancellationToken);
        Remember(static r => r with { OwedTerm = 0, OwedEnd = 0 });
        state.Become(RoleNow(), _record.Term);
        Tell();
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        (IsReady, _source) = (false, null);
        await server.StopAsync();
        server.Start();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_startPatience);
        while (!await database.AnswersAsync(patience.Token))
        {
            if (!server.IsRunning)
            {
                throw new IOException("PostgreSQL ended while it was started; what it said is above.");
            }

            await Task.Delay(s_startPause, patience.Token);
        }

        (IsReady, _answeredAt) = (true, Stopwatch.GetTimestamp());
        state.Found();
    }

    private async Task StepDownAloneAsync(string why, CancellationToken cancellationToken)
    {
        LogStepsDown(why);
        await EndLeadershipAsync();
        await server.StopAsync();
        fence.Lower();
        Tell();
        await StartAloneAsync(cancellationToken);
    }

    /// <summary>No write is taken from here on.</summary>
    private async Task EndLeadershipAsync()
    {
        (LeadsIn, IsReady) = (0, false);
        state.Become(MemberRole.Recovering, _record.Term);
        fence.Withdraw();
        Tell();
        await pool.LostAsync();
    }

    private async Task StopServerAsync()
    {
        await pool.LostAsync();
        await server.StopAsync();
        fence.Lower();
    }

    private async Task<Position> CutAloneAsync(CancellationToken cancellationToken)
    {
        _source = null;
        if (!HasData)
        {
            // It confirms nothing to anybody, but it may have.
            return _record.Owed;
        }

        return IsReady ? await database.CutAsync(cancellationToken) : throw new IOException("PostgreSQL is not ready yet.");
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await using var connection = new BackendConnection(
            await PostgresConnection.OpenAsync(
                PostgresSettings.Parse(LocalDatabase.ConnectionString(options.Value, replicaSet.Self.Number)), BusyWait.None, cancellationToken),
            state.Generation);
        // Nobody follows yet who could confirm it; each primary makes it anew.
        await connection.RunAsync("SET synchronous_commit = local", cancellationToken);
        await startup.SetUpAsync(connection, cancellationToken);
    }

    private async Task LongAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken) => await LongAsync(
        async token =>
        {
            await work(token);
            return true;
        },
        cancellationToken);

    private async Task<T> LongAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var longWork = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _longWork = longWork;
        try
        {
            return await work(longWork.Token);
        }
        finally
        {
            _longWork = null;
        }
    }

    // Data that has had no primary yet may lack what every member serves.
    private MemberRole RoleNow() => Leads ? MemberRole.Primary
        : !HasData || _record.Followed == 0 ? MemberRole.Startup2
        : IsReady ? MemberRole.Secondary
        : MemberRole.Recovering;

    private void RememberFollowed(long term) =>
        Remember(r => r with { Term = Math.Max(r.Term, term), Vote = term > r.Term ? 0 : r.Vote, Followed = term });

    /// <summary>Changes what is remembered, on the disk first. Returns whether that was anything else than before.</summary>
    private bool Remember(Func<ElectionRecord, ElectionRecord> change)
    {
        lock (_recordGate)
        {
            var record = change(_record);
            if (record == _record)
            {
                return false;
            }

            record.Write(_data);
            Volatile.Write(ref _record, record);
            return true;
        }
    }

    private void Tell(Sample? sample = null, long? lastTerm = null) => heartbeats.Say(own => own with
    {
        Role = state.Role,
        Term = Leads ? LeadsIn : _record.Term,
        Leads = Leads,
        IsEmpty = !HasData,
        Source = _source?.Number ?? 0,
        LastTerm = lastTerm ?? own.LastTerm,
        Received = sample?.Received ?? own.Received,
        Applied = sample?.Applied ?? own.Applied,
    });

    private async Task AloneAsync(Func<Task> step, CancellationToken cancellationToken) => await AloneAsync(
        async () =>
        {
            await step();
            return true;
        },
        cancellationToken);

    private async Task<T> AloneAsync<T>(Func<Task<T>> step, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return await step();
        }
        finally
        {
            _gate.Release();
        }
    }

    [LoggerMessage(LogLevel.Information, "No member of the set has data: a new cluster is made")]
    private partial void LogInitialising();

    [LoggerMessage(LogLevel.Information, "This member is primary in term {Term}, {Seconds:0.00} s after it was elected")]
    private partial void LogLeads(long term, double seconds);

    [LoggerMessage(LogLevel.Warning, "This member steps down: {Reason}")]
    private partial void LogStepsDown(string reason);

    [LoggerMessage(LogLevel.Warning, "PostgreSQL is started again: {Reason}")]
    private partial void LogServerLost(string reason);

    [LoggerMessage(LogLevel.Information, "This member follows {Host}, the primary of term {Term}")]
    private partial void LogFollows(string host, long term);

    [LoggerMessage(LogLevel.Information, "What this member has is {Kinship} to what {Host} has: it ends at {End}, in term {Term} or before")]
    private partial void LogRelated(string host, Kinship kinship, Lsn end, long term);

    [LoggerMessage(LogLevel.Warning, "{Host} does not have all that this member lacks any more")]
    private partial void LogTooLate(string host);

    [LoggerMessage(LogLevel.Information, "This member takes back what {Host} does not have")]
    private partial void LogRewinding(string host);

    [LoggerMessage(LogLevel.Information, "This member copies the data of {Host}")]
    private partial void LogCopying(string host);
}
