using System.Security.Cryptography;

namespace Platform.Caching.Entries;

/// <summary>What was read from the database, or that there is nothing to be read, with what says whether it still holds. Thread-safe.</summary>
public sealed class CachedEntry
{
    private object? _value;

    /// <summary>What was read; empty when there is nothing.</summary>
    public ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>Whether there is something.</summary>
    public bool Exists { get; init; }

    /// <summary>When the read began, in ticks of UTC.</summary>
    public long ReadAt { get; init; }

    /// <summary>Until when it is fresh, in ticks of UTC.</summary>
    public long FreshUntil
    {
        get;
        init
        {
            field = value;
            _expiresAt = Environment.TickCount64 + ((value - DateTime.UtcNow.Ticks) / TimeSpan.TicksPerMillisecond);
        }
    }

    /// <summary>
    /// Names the content, for conditional requests (<see href="https://www.rfc-editor.org/rfc/rfc9110#name-etag">RFC 9110</see>): the same content has the
    /// same name in every process.
    /// </summary>
    public string ETag => field ??= $"\"{Convert.ToHexStringLower(SHA256.HashData(Content.Span).AsSpan(0, 12))}\"";

    /// <summary>The changes that were known when the read began (<see cref="Changes.ChangeStamps"/>).</summary>
    internal long Stamp { get; init; }

    /// <summary>Where its counts are; null while nobody looked.</summary>
    internal int[]? Stripes { get; set; }

    /// <summary>What stood in Redis in the entry's place when the read began; 0 when Redis was away.</summary>
    internal long Mark { get; init; }

    /// <summary>The marks of the scopes when the read began.</summary>
    internal long[] ScopeMarks { get; init; } = [];

    /// <summary>Whether somebody reads it anew already; once true, it stays so.</summary>
    internal ref int Refreshing => ref _refreshing;

    /// <summary>Whether it is no longer fresh, to some milliseconds: by the clock that takes no time to look at.</summary>
    internal bool HasExpired => Environment.TickCount64 > _expiresAt;

    private readonly long _expiresAt;
    private int _refreshing;

    /// <summary>The content as a value, which is made once.</summary>
    /// <typeparam name="TValue">The type of the value, the same at each call.</typeparam>
    /// <param name="read">Makes it of the content.</param>
    public TValue As<TValue>(Func<ReadOnlyMemory<byte>, TValue> read)
        where TValue : class
    {
        ArgumentNullException.ThrowIfNull(read);
        return (TValue)(_value ??= read(Content));
    }
}
