using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Platform.Tests.TestKit.Processes;

/// <summary>The program of a job, run as a person runs it: with arguments, an environment and a console.</summary>
/// <remarks>
/// Most of what such a program costs is the start of .NET. Command lines are therefore handed to processes that stay and run the program's
/// entry point for each (<see cref="ProgramLoop"/>). <see cref="Start(string, string[])"/> starts a process of its own, for what is done to processes.
/// </remarks>
internal sealed class JobProgram
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    // Those that nobody uses at the moment. Each ends with its standard input, and so with this process.
    private static readonly ConcurrentBag<Process> s_idle = [];

    private readonly string _assembly;
    private readonly string _path;
    private readonly (string Name, string? Value)[] _environment;

    private JobProgram(string project)
    {
        _assembly = $"Platform.{project}";
        _path = BuiltProgram.Path(project);
        _environment =
        [
            ($"{project}__DatabaseTimeout", "00:01:00"), // which a busy machine may need
            ("DOTNET_ENVIRONMENT", "Development"),
            ("ASPNETCORE_ENVIRONMENT", null),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", null),
        ];
    }

    /// <summary>The migrator.</summary>
    public static JobProgram Migrator { get; } = new("Migrator");

    /// <summary>The seeder.</summary>
    public static JobProgram Seeder { get; } = new("Seeder");

    /// <summary>Runs a command line to its end.</summary>
    /// <param name="connectionString">The database; null for none.</param>
    /// <param name="arguments">The command line, words separated by spaces.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="settings">Environment variables that are to be otherwise; null for none of that name.</param>
    public Task<ProgramResult> RunAsync(
        string? connectionString, string arguments, CancellationToken cancellationToken, params (string Name, string? Value)[] settings) =>
        RunAsync(connectionString, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), cancellationToken, settings);

    /// <summary>Runs a command line to its end.</summary>
    /// <param name="connectionString">The database; null for none.</param>
    /// <param name="arguments">The words of the command line.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="settings">Environment variables that are to be otherwise; null for none of that name.</param>
    public async Task<ProgramResult> RunAsync(
        string? connectionString, string[] arguments, CancellationToken cancellationToken, params (string Name, string? Value)[] settings)
    {
        var process = s_idle.TryTake(out var idle) ? idle : StartLoop();
        try
        {
            var call = new ProgramCall(_assembly, arguments, Environment(connectionString, settings));
            await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(call).AsMemory(), cancellationToken);
            await process.StandardInput.FlushAsync(cancellationToken);
            var answer = await process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(s_patience, cancellationToken)
                ?? throw new InvalidOperationException($"The process that ran {_assembly} {string.Join(' ', arguments)} ended; its standard error says why.");
            var result = JsonSerializer.Deserialize<ProgramResult>(answer)!;
            s_idle.Add(process);
            return result;
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    /// <summary>Starts a process for a command line.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="arguments">The words of the command line.</param>
    public ServerProcess Start(string connectionString, params string[] arguments) => ServerProcess.Start(_path, arguments, Environment(connectionString, []));

    /// <summary>Starts it as a process of its own, with settings.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="arguments">The words of the command line.</param>
    /// <param name="settings">Environment variables that are to be otherwise.</param>
    public ServerProcess Start(string connectionString, string[] arguments, params (string Name, string? Value)[] settings) =>
        ServerProcess.Start(_path, arguments, Environment(connectionString, settings));

    private Dictionary<string, string?> Environment(string? connectionString, (string Name, string? Value)[] settings)
    {
        var environment = _environment.ToDictionary(variable => variable.Name, variable => variable.Value);
        environment["ConnectionStrings__platform"] = connectionString;
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        return environment;
    }

    private static Process StartLoop()
    {
        var start = new ProcessStartInfo(BuiltProgram.Path("TestKit", "Platform.Tests.TestKit"), [ProgramLoop.Argument])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            // It belongs to none of the stacks that this process may have started.
            Environment = { ["PLATFORM_TEST_STACK"] = null },
        };
        return Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
    }
}
