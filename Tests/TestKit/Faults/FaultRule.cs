using System.Globalization;

namespace Platform.Tests.TestKit.Faults;

/// <summary>
/// When a <see cref="FaultProxy"/> does what. A rule counts the commands that it is about; it spares the first
/// <see cref="Skip"/>, strikes each of the others with <see cref="Probability"/>, and is done after <see cref="Times"/> strikes.
/// Thread-safe.
/// </summary>
public sealed class FaultRule
{
    // Without these a client cannot even connect; a rule has to name them.
    private static readonly HashSet<string> Handshake = new(StringComparer.OrdinalIgnoreCase) { "hello", "isMaster", "saslStart", "saslContinue" };

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(int Strikes, TaskCompletionSource Reached)> _awaited = [];
    private long _seen;
    private int _strikes;

    /// <summary>What is done.</summary>
    public required FaultAction Action { get; init; }

    /// <summary>The names of the commands; none for all but those by which a client connects.</summary>
    public IReadOnlySet<string> Commands { get; init; } = new HashSet<string>();

    /// <summary>Looks closer at a command; null for every one.</summary>
    public Func<MongoMessage, bool>? Where { get; init; }

    /// <summary>How many commands are spared first. Default: 0.</summary>
    public int Skip { get; init; }

    /// <summary>How many are struck at most. Default: all.</summary>
    public int Times { get; init; } = int.MaxValue;

    /// <summary>The share of commands that is struck. Default: 1.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>The shortest delay.</summary>
    public TimeSpan MinDelay { get; init; }

    /// <summary>The longest delay; each one is drawn from the range.</summary>
    public TimeSpan MaxDelay { get; init; }

    /// <summary>How many commands were struck.</summary>
    public int Strikes => Volatile.Read(ref _strikes);

    /// <summary>Ends when <see cref="Release"/> is called.</summary>
    internal Task Released => _released.Task;

    /// <summary>
    /// Reads a rule: <c>commands: action [delay] [share%] [skip N] [times N]</c>, such as <c>insert,update: cut-after 5%</c>,
    /// <c>commitTransaction: cut-before skip 2 times 1</c> or <c>*: delay-reply 0..50ms 10%</c>.
    /// </summary>
    /// <param name="text">The rule.</param>
    /// <exception cref="FormatException">It is not one; the message says why.</exception>
    public static FaultRule Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            throw new FormatException($"\"{text}\" is not a rule: it needs the form \"commands: action\".");
        }

        var words = new Queue<string>(text[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var names = text[..colon].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (names.Length == 0 || !words.TryDequeue(out var name)
            || !Enum.TryParse<FaultAction>(name.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var action) || char.IsAsciiDigit(name[0]))
        {
            throw new FormatException(
                $"\"{text}\" is not a rule: after the commands comes one of {string.Join(", ", Enum.GetValues<FaultAction>().Select(NameOf))}.");
        }

        var (skip, times, share, min, max) = (0, int.MaxValue, 1.0, TimeSpan.Zero, TimeSpan.Zero);
        while (words.TryDequeue(out var word))
        {
            if (word == "skip" && words.TryDequeue(out var count) && int.TryParse(count, CultureInfo.InvariantCulture, out skip)
                || word == "times" && words.TryDequeue(out count) && int.TryParse(count, CultureInfo.InvariantCulture, out times))
            {
                continue;
            }

            if (word.EndsWith('%') && double.TryParse(word[..^1], CultureInfo.InvariantCulture, out var percent) && percent is >= 0 and <= 100)
            {
                share = percent / 100;
            }
            else if (word.EndsWith("ms", StringComparison.Ordinal) && word[..^2].Split("..") is { Length: 1 or 2 } range
                && double.TryParse(range[0], CultureInfo.InvariantCulture, out var shortest)
                && double.TryParse(range[^1], CultureInfo.InvariantCulture, out var longest) && shortest >= 0 && longest >= shortest)
            {
                (min, max) = (TimeSpan.FromMilliseconds(shortest), TimeSpan.FromMilliseconds(longest));
            }
            else
            {
                throw new FormatException($"\"{text}\" is not a rule: \"{word}\" is neither a delay (20ms, 0..50ms), a share (5%), skip N nor times N.");
            }
        }

        return new FaultRule
        {
            Action = action,
            Commands = names is ["*"] ? new HashSet<string>() : names.ToHashSet(StringComparer.Ordinal),
            Skip = skip,
            Times = times,
            Probability = share,
            MinDelay = min,
            MaxDelay = max,
        };
    }

    /// <summary>The name of an action in rules, such as <c>cut-after</c>.</summary>
    /// <param name="action">The action.</param>
    public static string NameOf(FaultAction action) =>
        string.Concat(action.ToString().Select((c, index) => char.IsUpper(c) && index > 0 ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    /// <summary>Lets go on what this rule holds, now and later.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Waits until this many commands were struck.</summary>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitForStrikesAsync(int count, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_strikes >= count)
            {
                return Task.CompletedTask;
            }

            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((count, reached));
            return reached.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Counts a command, and says whether it is to be struck and how late it becomes.</summary>
    internal bool TryStrike(MongoMessage message, long seed, int number, bool mayStrike, out TimeSpan delay)
    {
        delay = default;
        if (Commands.Count > 0 ? !Commands.Contains(message.Command) : Handshake.Contains(message.Command))
        {
            return false;
        }

        if (Where?.Invoke(message) == false)
        {
            return false;
        }

        lock (_lock)
        {
            var seen = _seen++;
            if (!mayStrike || seen < Skip || _strikes >= Times || Draw(seed, number, seen, 0) >= Probability)
            {
                return false;
            }

            _strikes++;
            delay = MinDelay + ((MaxDelay - MinDelay) * Draw(seed, number, seen, 1));
            _awaited.RemoveAll(wait => wait.Strikes <= _strikes && wait.Reached.TrySetResult());
            return true;
        }
    }

    // What happens to the n-th command is the same for the same seed, whatever the other rules and connections do
    // (https://prng.di.unimi.it/splitmix64.c is the mixing).
    private static double Draw(long seed, int rule, long command, int purpose)
    {
        var value = unchecked((((((ulong)seed * 31) + (ulong)rule) * 31) + (ulong)purpose + ((ulong)command * 0x9E3779B97F4A7C15)) + 0x9E3779B97F4A7C15);
        value = unchecked((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9);
        value = unchecked((value ^ (value >> 27)) * 0x94D049BB133111EB);
        return ((value ^ (value >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
