namespace Platform.Monitor.Watchers;

/// <summary>
/// Whether Prometheus and Alertmanager watch the platform: judged by the heartbeat, an alert that always fires and comes by way of both, and by whether
/// Prometheus is seen to evaluate its rules. Knows no network.
/// </summary>
/// <remarks>
/// The heartbeat alone would tell too late: it goes on until Alertmanager takes the alert for resolved, and at that moment it takes all others for it, too.
/// </remarks>
/// <param name="silence">How long there may be no heartbeat.</param>
/// <param name="time">The clock.</param>
internal sealed class MonitoringWatch(TimeSpan silence, TimeProvider time)
{
    /// <summary>How many questions in a row Prometheus may leave unanswered.</summary>
    public const int Patience = 2;

    private readonly Lock _lock = new();
    private DateTimeOffset _heard = time.GetUtcNow();
    private bool _everHeard;
    private bool _everEvaluated;
    private int _missed;
    private bool _alertmanagerAnswers = true;
    private Silence? _current;

    /// <summary>When the heartbeat came last; null: never.</summary>
    public DateTimeOffset? LastHeartbeat
    {
        get
        {
            lock (_lock)
            {
                return _everHeard ? _heard : null;
            }
        }
    }

    /// <summary>Since when monitoring is silent, and why; null: it is not.</summary>
    public Silence? Current
    {
        get
        {
            lock (_lock)
            {
                return _current;
            }
        }
    }

    /// <summary>The heartbeat has come.</summary>
    public void Beat()
    {
        lock (_lock)
        {
            (_heard, _everHeard) = (time.GetUtcNow(), true);
        }
    }

    /// <summary>What was found when the servers were asked.</summary>
    /// <param name="evaluates">Whether Prometheus is seen to evaluate rules.</param>
    /// <param name="alertmanagerAnswers">Whether Alertmanager answers.</param>
    public void Saw(bool evaluates, bool alertmanagerAnswers)
    {
        lock (_lock)
        {
            _missed = evaluates ? 0 : _missed + 1;
            _everEvaluated |= evaluates;
            _alertmanagerAnswers = alertmanagerAnswers;
        }
    }

    /// <summary>Judges what is known by now.</summary>
    /// <returns>What is to be told, because it was otherwise before; null: nothing.</returns>
    public WatchChange? Look()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            // Where all start together, Prometheus may come after the monitor: until it was there once, it has as long as the first heartbeat.
            var mayStart = !_everEvaluated && !_everHeard && now - _heard <= silence;
            var reason = _missed >= Patience && !mayStart ? "Prometheus does not answer, or evaluates no rules"
                : now - _heard <= silence ? null
                : !_alertmanagerAnswers ? "Alertmanager does not answer"
                : !_everHeard ? "no heartbeat has come from Prometheus by way of Alertmanager since the monitor started"
                : $"no heartbeat has come from Prometheus by way of Alertmanager since {_heard:yyyy-MM-dd HH:mm:ss} UTC";
            switch (_current, reason)
            {
                case (null, { } why):
                    _current = new Silence(now, why);
                    return new WatchChange(_current, Ended: null);
                // One that was under way when it began says nothing.
                case ({ } silent, null) when _heard > silent.Since:
                    _current = null;
                    return new WatchChange(silent, Ended: now);
                default:
                    return null;
            }
        }
    }
}

/// <summary>A time in which nobody was told of trouble.</summary>
/// <param name="Since">When it was found out.</param>
/// <param name="Reason">Why, as the beginning of a sentence without its capital.</param>
internal sealed record Silence(DateTimeOffset Since, string Reason);

/// <summary>That monitoring is silent, or is not any more.</summary>
/// <param name="Silence">The silence.</param>
/// <param name="Ended">When it ended; null: it began.</param>
internal sealed record WatchChange(Silence Silence, DateTimeOffset? Ended);
