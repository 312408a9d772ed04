using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Options;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Replication;

/// <summary>The PostgreSQL of this member: its process and its cluster.</summary>
internal sealed partial class PostgresServer(IOptions<GatewayOptions> options, ILogger<PostgresServer> logger)
{
    private const int Terminate = 15;
    private const string PassPhraseVariable = "PLATFORM_AT_REST_PHRASE";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    private readonly string _data = options.Value.DataDirectory ?? "";
    private Process? _process;

    /// <summary>
    /// Whether there is a whole cluster: one that was rewound is none until it has got what it needs of the source's log.
    /// </summary>
    public bool HasCluster => File.Exists(WholePath) && !File.Exists(RewindingPath);

    // An encrypted one is seen by its own processes alone: the script leaves the mark beside it.
    private string WholePath => options.Value.IsEncryptedAtRest ? Path.Combine(_data, "whole") : Path.Combine(_data, "cluster", ".initialised");

    private string RewindingPath => Path.Combine(_data, "rewinding");

    /// <summary>Whether it was started and runs.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The process that all others end with; null while there is none.</summary>
    public ProcessMark? Mark => _process is { HasExited: false } process ? ProcessMark.Of(process.Id) : null;

    /// <summary>Ends when it does.</summary>
    public Task Ended => _process?.WaitForExitAsync() ?? Task.CompletedTask;

    /// <summary>
    /// Looks whether the data can be opened the way that it is to be: encrypted with this pass phrase, or plain. Throws
    /// <see cref="OptionsValidationException"/> with the sentence when it cannot; nothing is changed then.
    /// </summary>
    public async Task UnlockAsync(CancellationToken cancellationToken)
    {
        var isEncrypted = Directory.Exists(Path.Combine(_data, "encrypted"));
        if (isEncrypted && !options.Value.IsEncryptedAtRest)
        {
            throw Locked($"is encrypted, but Gateway:PassPhraseFile is not set: set it again, or {WayOut} Nothing is converted.");
        }

        if (!options.Value.IsEncryptedAtRest)
        {
            return;
        }

        if (Directory.Exists(Path.Combine(_data, "cluster")))
        {
            throw Locked($"is not encrypted, but Gateway:PassPhraseFile is set: leave it out, or {WayOut} Nothing is converted.");
        }

        using var process = Run(start => start.RedirectStandardError = true, "unlock");
        var said = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode == ExitCodes.Configuration)
        {
            throw Locked(
                $"is not opened by the pass phrase in {options.Value.PassPhraseFile}, or that file has not the mode 600: restore the one that it was made "
                    + $"with, or {WayOut}");
        }

        if (process.ExitCode != 0)
        {
            throw new IOException($"The encrypted data in {_data} cannot be used here: {said.Trim().ReplaceLineEndings("; ")}");
        }
    }

    /// <summary>Starts it as a standby. It follows nobody unless its configuration says so.</summary>
    public void Start()
    {
        _process?.Dispose();
        _process = Run("standby");
        LogStarted(_process.Id);
    }

    /// <summary>Makes a new cluster.</summary>
    public Task InitialiseAsync(CancellationToken cancellationToken) => ToEndAsync(cancellationToken, "initialise");

    /// <summary>Makes the cluster anew as a copy of another member's.</summary>
    public Task CopyAsync(int source, int member, CancellationToken cancellationToken) =>
        ToEndAsync(cancellationToken, "copy", Port(source), SlotOf(member));

    /// <summary>
    /// Takes back what another member does not have. Returns whether that was possible; the cluster is whole when the server that follows that member
    /// answers, and <see cref="EndRewind"/> was called.
    /// </summary>
    public async Task<bool> RewindAsync(int source, CancellationToken cancellationToken)
    {
        try
        {
            await ToEndAsync(cancellationToken, "rewind", Port(source));
            return true;
        }
        catch (IOException e)
        {
            LogNotRewound(e.Message);
            return false;
        }
    }

    /// <summary>Says that the cluster is whole again after a rewind.</summary>
    public void EndRewind() => File.Delete(RewindingPath);

    /// <summary>
    /// Shuts it down in good order, so that what is connected to it has all that it has; kills it when that takes too long.
    /// </summary>
    public async Task StopAsync()
    {
        if (_process is not { HasExited: false } process)
        {
            return;
        }

        ProcessMark.Of(process.Id)?.Signal(Terminate);
        try
        {
            await process.WaitForExitAsync().WaitAsync(s_patience);
        }
        catch (TimeoutException)
        {
            LogKilled(s_patience.TotalSeconds);
            await KillAsync();
        }
    }

    /// <summary>Kills it: no good-bye to anyone.</summary>
    public async Task KillAsync()
    {
        if (_process is { HasExited: false } process)
        {
            ProcessMark.Of(process.Id)?.Kill();
            await process.WaitForExitAsync();
        }

        // The others end a moment after the first one.
        await ClusterLock.UntilFreeAsync(ClusterLock.PathOf(_data), s_patience, "PostgreSQL was killed and does not end.", CancellationToken.None);
    }

    /// <summary>The name of a member at the others' PostgreSQL, and of its slot there.</summary>
    public static string SlotOf(int member) => string.Create(CultureInfo.InvariantCulture, $"n{member}");

    private static string Port(int member) => GatewayOptions.PostgresPort(member).ToString(CultureInfo.InvariantCulture);

    private async Task ToEndAsync(CancellationToken cancellationToken, params string[] action)
    {
        using var process = Run(action);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        finally
        {
            ProcessMark.Of(process.Id)?.Kill();
        }

        if (process.ExitCode != 0)
        {
            throw new IOException($"'postgres {string.Join(' ', action)}' ended with exit code {process.ExitCode}; what it said is above.");
        }
    }

    private static string WayOut => "remove that directory, and with it the data of this member.";

    private OptionsValidationException Locked(string why) => new(GatewayOptions.Section, typeof(GatewayOptions), [$"The data in {_data} {why}"]);

    // Its output is this process's: the member's console has both.
    private Process Run(params string[] action) => Run(static _ => { }, action);

    private Process Run(Action<ProcessStartInfo> change, params string[] action)
    {
        var settings = options.Value;
        var start = new ProcessStartInfo(
            Path.Combine(settings.NativeScripts!, "postgres"), [settings.ServerImage!, _data, settings.SocketDirectory!, .. action]);
        if (settings.IsEncryptedAtRest)
        {
            start.Environment[PassPhraseVariable] = settings.PassPhraseFile;
        }

        change(start);
        return Process.Start(start) ?? throw new IOException($"{start.FileName} did not start.");
    }

    [LoggerMessage(LogLevel.Information, "PostgreSQL is started as process {Process}")]
    private partial void LogStarted(int process);

    [LoggerMessage(LogLevel.Warning, "PostgreSQL did not shut down within {Seconds} s and is killed")]
    private partial void LogKilled(double seconds);

    [LoggerMessage(LogLevel.Warning, "The cluster could not be rewound and is copied anew: {Reason}")]
    private partial void LogNotRewound(string reason);
}
