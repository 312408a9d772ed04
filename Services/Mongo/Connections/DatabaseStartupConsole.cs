using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Platform.Mongo.Connections;

/// <summary>What a program whose console belongs to its answer shows of its log.</summary>
public static class DatabaseStartupConsole
{
    /// <summary>Keeps the log off the console, but for the warnings that a database is waited for, which go to standard error.</summary>
    /// <param name="logging">The program's logging, with a console.</param>
    /// <returns><paramref name="logging"/>.</returns>
    public static ILoggingBuilder ShowOnlyWaits(this ILoggingBuilder logging)
    {
        ArgumentNullException.ThrowIfNull(logging);
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        return logging
            .AddFilter<ConsoleLoggerProvider>(null, LogLevel.None)
            .AddFilter<ConsoleLoggerProvider>(typeof(DatabaseStartup).FullName, LogLevel.Warning);
    }
}
