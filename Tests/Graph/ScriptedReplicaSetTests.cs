using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using Platform.AppHost.Mongo;
using Platform.AppHost.Security;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;
using Platform.Hosting.Mongo;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>
/// The script of the engines with mongod, under the orchestrator, with the real mongosh and members that are <c>ScriptedMongod</c>: that
/// there is no mongod here is all that differs.
/// </summary>
public sealed class ScriptedReplicaSetTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("scripted-set-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_directory.FullName, "data");

    private string Tools => Path.Combine(_directory.FullName, "tools");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The script needs Linux.");
        NodeTools.Require("mongosh");
        Directory.CreateDirectory(Tools);
        var pivot = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var kit = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "TestKit", pivot, "Platform.Tests.TestKit"));
        await ToolAsync("mongod", $"exec '{kit}' mongod \"$@\"");
        await ToolAsync("mongosh", $"HOME='{_directory.FullName}' exec node '{NodeTools.Program("mongosh", "mongosh.js")}' \"$@\"");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Theory(Timeout = 300_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_set_becomes_healthy_lets_a_job_begin_and_outlives_a_member(bool encrypted)
    {
        await using var app = Build(password: "first", encrypted);
        // The start ends when what waits has started; a wait that fails says why.
        var starting = app.StartAsync(Token);
        await app.UntilHealthyAsync("mongo", s_patience, Token);
        await app.UntilDoneAsync("reader", s_patience, Token);
        await starting;

        var member = BsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "mongod", "member-3", "process.json"), Token));
        using (var process = Process.GetProcessById(member["pid"].AsInt32))
        {
            process.Kill();
        }

        await app.UntilSaidAsync("mongo-members", "ended with exit code 137; it is started again in 0.5 s.", s_patience, Token);
        Assert.True(app.ResourceNotifications.TryGetCurrentState("mongo", out var mongo));
        Assert.Equal((KnownResourceStates.Running, HealthStatus.Healthy), (mongo.Snapshot.State!.Text, mongo.Snapshot.HealthStatus));
        await app.StopAsync(Token);
    }

    private DistributedApplication Build(string password, bool encrypted)
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = [$"--Parameters:mongo-password={password}", "--Parameters:mongo-keyfile=0123456789abcdef", "--environment=Development"],
            AssemblyName = "Platform.AppHost",
            DisableDashboard = true,
        });
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        var options = new PlatformOptions
        {
            EngineChoice = new(Engine.Mongod, "asked for by the test"), DataDirectory = Data, ServerImage = Data, Tls = encrypted,
        };
        var mongo = builder.AddMongoReplicaSet("mongo", options, builder.AddCertificates(options));
        builder.CreateResourceBuilder(Assert.IsType<ExecutableResource>(Assert.Single(mongo.Resource.Servers)))
            .WithEnvironment("PATH", $"{Tools}:{Environment.GetEnvironmentVariable("PATH")}");
        var shop = mongo.AddReplicaSetDatabase("shop");
        builder.AddExecutable("reader", "true", ".").WithAnnotation(new JobAnnotation()).WaitFor(shop);
        return builder.ReportFailures().StopInOrder().Build();
    }

    private async Task ToolAsync(string name, string script)
    {
        var file = Path.Combine(Tools, name);
        await File.WriteAllTextAsync(file, $"#!/bin/sh\n{script}\n", Token);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
