using System.Globalization;

namespace Platform.Gateway.Telemetry;

/// <summary>Keeps the last lines of the gateway's own log in memory, for the command <c>getLog</c>.</summary>
internal sealed class RecentLog(TimeProvider time) : ILoggerProvider
{
    /// <summary>How many lines are kept, as the server does.</summary>
    public const int Kept = 1_024;

    private const int Longest = 4_096;
    private const string Own = "Platform.Gateway";
    private readonly Queue<string> _lines = new();
    private long _written;

    /// <summary>The kept lines, oldest first, and how many there were in all.</summary>
    public (IReadOnlyList<string> Lines, long Written) Read()
    {
        lock (_lines)
        {
            return ([.. _lines], _written);
        }
    }

    /// <inheritdoc />
    public ILogger CreateLogger(string categoryName) => new Writer(this, categoryName);

    /// <inheritdoc />
    public void Dispose()
    {
    }

    private void Write(string category, LogLevel level, string message)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Severity(level)} {category[(category.LastIndexOf('.') + 1)..]}: {Printable.Of(message, Longest)}");
        lock (_lines)
        {
            _written++;
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
            {
                _lines.Dequeue();
            }
        }
    }

    private static char Severity(LogLevel level) => level switch { LogLevel.Information => 'I', LogLevel.Warning => 'W', LogLevel.Error => 'E', _ => 'F' };

    private sealed class Writer(RecentLog log, string category) : ILogger
    {
        private readonly bool _own = category.StartsWith(Own, StringComparison.Ordinal);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => _own && logLevel is >= LogLevel.Information and < LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Write(category, logLevel, formatter(state, exception));
            }
        }
    }
}
