using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dcp;

/// <summary>
/// A dcp of our own: started detached, so that Ctrl-C in a terminal reaches us alone, and told to watch this process, so that nothing
/// survives us. Its files lie in a directory that only the user can enter.
/// </summary>
internal sealed partial class DcpProcess : IAsyncDisposable
{
    // With the certificate given, dcp is ready in 0.2 s; a loaded machine may need much longer.
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(15);

    // dcp gives a process 6 s to end, another 6 s in the worst case, and needs about 2 s for itself.
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(20);

    // Settings of this process that would leak into every resource.
    private static readonly string[] s_notInherited =
        ["ASPNETCORE_URLS", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "DOTNET_LAUNCH_PROFILE", "ASPIRE_LOGLEVEL"];

    private readonly DirectoryInfo _directory;
    private readonly string _kubeconfig;
    private readonly DcpLog _log;
    private readonly ILogger _logger;
    private readonly X509Certificate2 _certificate;

    private DcpProcess(DirectoryInfo directory, string kubeconfig, DcpLog log, X509Certificate2 certificate, DcpClient client, ILogger logger)
    {
        _directory = directory;
        _kubeconfig = kubeconfig;
        _log = log;
        _certificate = certificate;
        _logger = logger;
        Client = client;
    }

    public DcpClient Client { get; }

    /// <summary>Waits until dcp is gone, for whatever reason.</summary>
    public Task WaitForExitAsync(CancellationToken cancellationToken) => _log.WaitAllGoneAsync(cancellationToken);

    /// <summary>The last error that dcp reported.</summary>
    public string? LastError => _log.LastError;

    /// <summary>Starts dcp and waits until its API can be used.</summary>
    /// <exception cref="DistributedApplicationException">It is not installed or does not start.</exception>
    public static async Task<DcpProcess> StartAsync(string? path, ILogger logger, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(path) || !File.Exists(path))
        {
            throw new DistributedApplicationException(
                $"The orchestrator dcp was not found at '{path}'; run './platform setup', or set DcpPublisher:CliPath to where it is.");
        }

        var started = Stopwatch.GetTimestamp();
        var directory = Directory.CreateTempSubdirectory("aspire-"); // mode 700
        DcpLog? log = null;
        X509Certificate2? certificate = null;
        try
        {
            var kubeconfig = Path.Combine(directory.FullName, "kubeconfig");
            log = new DcpLog(Path.Combine(directory.FullName, "log.sock"));
            certificate = CreateCertificate(directory.FullName, out var certificatePath, out var keyPath);

            var start = new ProcessStartInfo(path)
            {
                UseShellExecute = false,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
                RedirectStandardInput = true,
                WorkingDirectory = directory.FullName,
            };
            foreach (var arg in (string[])
                [
                    "start-apiserver", "--detach",
                    "--monitor", Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
                    "--kubeconfig", kubeconfig,
                    "--tls-cert-file", certificatePath,
                    "--tls-key-file", keyPath,
                ])
            {
                start.ArgumentList.Add(arg);
            }

            foreach (var name in s_notInherited)
            {
                start.Environment.Remove(name);
            }

            
            // dcp removes its session folder with everything in it when it exits, so nothing of ours is left even when we are killed.
            start.Environment["DCP_SESSION_FOLDER"] = directory.FullName;
            start.Environment["DCP_LOG_SOCKET"] = log.SocketPath;
            if (!start.Environment.TryGetValue("HOME", out var home) || string.IsNullOrEmpty(home))
            {
                start.Environment["HOME"] = directory.FullName; // dcp crashes without one
            }

            await LaunchAsync(start, log, cancellationToken);
            await WaitForFileAsync(kubeconfig, log, cancellationToken);
            var (server, token) = ReadKubeconfig(kubeconfig);
            var milliseconds = (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            LogStarted(logger, milliseconds, server);
            return new DcpProcess(directory, kubeconfig, log, certificate, new DcpClient(server, certificate, token), logger);
        }
        catch
        {
            if (log is not null)
            {
                await log.DisposeAsync();
            }

            certificate?.Dispose();
            directory.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>Stops dcp with everything that it runs, and waits until it is gone.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_stopTimeout);
        try
        {
            if (!_log.AllGone)
            {
                await Client.StopServerAsync(timeout.Token);
                LogStopping(_logger);

                // The server removes its files when everything has ended. Its helper would notice seconds later that it is alone.
                while (File.Exists(_kubeconfig) && !_log.AllGone)
                {
                    await Task.Delay(s_pollInterval, timeout.Token);
                }

                foreach (var pid in _log.Connected)
                {
                    UnixProcess.Terminate(pid);
                }

                await _log.WaitAllGoneAsync(timeout.Token);
                LogStopped(_logger);
            }
        }
        catch (DcpException ex) when (_log.AllGone || !File.Exists(_kubeconfig))
        {
            LogGoneAlready(_logger, ex.Message);
        }
        catch (OperationCanceledException)
        {
            // It watches this process and cleans up when we exit.
            LogStillStopping(_logger, s_stopTimeout.TotalSeconds);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _log.DisposeAsync();
        _certificate.Dispose();
        if (Directory.Exists(_directory.FullName))
        {
            Directory.Delete(_directory.FullName, recursive: true);
        }
    }

    private static async Task LaunchAsync(ProcessStartInfo start, DcpLog log, CancellationToken cancellationToken)
    {
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception ex)
        {
            throw new DistributedApplicationException($"The orchestrator '{start.FileName}' cannot be started: {ex.Message}", ex);
        }

        process.StandardInput.Close();

        // It leaves the real server behind and ends at once. The pipes are not read to their end: the server may hold them open.
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, e) =>
        {
            lock (errors)
            {
                errors.AppendLine(e.Data);
            }
        };
        process.BeginErrorReadLine();
        while (!process.HasExited)
        {
            await Task.Delay(s_pollInterval, cancellationToken);
        }

        if (process.ExitCode != 0)
        {
            lock (errors)
            {
                throw Failed($"ended with exit code {process.ExitCode}", log, errors.ToString());
            }
        }
    }

    private static async Task WaitForFileAsync(string kubeconfig, DcpLog log, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var goneSince = (long?)null;

        // The server must have been seen too: to who watches for its end, the time between the launcher's last line and the server's
        // first one looks like that end.
        while (!File.Exists(kubeconfig) || log.AllGone)
        {
            // Nobody is connected then either, but not for seconds.
            goneSince = log.AllGone ? goneSince ?? Stopwatch.GetTimestamp() : null;
            if (goneSince is { } since && Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(5))
            {
                throw Failed("ended while it started", log);
            }

            if (Stopwatch.GetElapsedTime(started) > s_startTimeout)
            {
                throw Failed($"was not ready within {s_startTimeout.TotalSeconds} s", log);
            }

            await Task.Delay(s_pollInterval, cancellationToken);
        }
    }

    private static DistributedApplicationException Failed(string what, DcpLog log, string? output = null)
    {
        var file = Path.Combine(Path.GetTempPath(), $"aspire-dcp-{Environment.ProcessId}.log");
        using (var writer = new StreamWriter(file, OwnerOnlyFile.Options(FileMode.Create, FileShare.Read)))
        {
            writer.WriteLine(output);
            foreach (var line in log.Lines)
            {
                writer.WriteLine(line);
            }
        }

        return new DistributedApplicationException(
            $"The orchestrator dcp {what}{(log.LastError is { } error ? $" ({error.TrimEnd('.')})" : "")}; its log is kept in {file}.");
    }

    /// <summary>
    /// A certificate of a small key: without one, dcp generates RSA-4096 keys, which takes seconds.
    /// </summary>
    private static X509Certificate2 CreateCertificate(string directory, out string certificatePath, out string keyPath)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = DateTimeOffset.UtcNow;
        using var created = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(1));
        certificatePath = Path.Combine(directory, "tls.crt");
        keyPath = Path.Combine(directory, "tls.key");
        File.WriteAllText(certificatePath, created.ExportCertificatePem());
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        return X509CertificateLoader.LoadCertificate(created.RawData);
    }

    /// <summary>Finds server and token in the kubeconfig: YAML of a fixed shape, so lines <c>server: URL</c> and <c>token: TEXT</c> do.</summary>
    private static (Uri Server, string Token) ReadKubeconfig(string path)
    {
        string? server = null;
        string? token = null;
        foreach (var line in File.ReadLines(path).Select(l => l.Trim().TrimStart('-').Trim()))
        {
            server = Value(line, "server:") ?? server;
            token = Value(line, "token:") ?? token;
        }

        return server is not null && token is not null
            ? (new Uri(server), token)
            : throw new DistributedApplicationException($"The orchestrator wrote a kubeconfig without server or token: {path}");

        static string? Value(string line, string key)
            => line.StartsWith(key, StringComparison.Ordinal) ? line[key.Length..].Trim().Trim('"', '\'') : null;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The orchestrator is ready after {Milliseconds} ms at {Server}.")]
    private static partial void LogStarted(ILogger logger, long milliseconds, Uri server);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The orchestrator was asked to stop.")]
    private static partial void LogStopping(ILogger logger);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The orchestrator has stopped.")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The orchestrator had gone already: {Reason}")]
    private static partial void LogGoneAlready(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The orchestrator had not stopped after {Seconds} s; it goes on stopping the resources by itself.")]
    private static partial void LogStillStopping(ILogger logger, double seconds);
}
