using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Platform.Gateway.Auditing;
using Platform.Gateway.Authentication;
using Platform.Gateway.Backend;
using Platform.Gateway.Causality;
using Platform.Gateway.ChangeStreams;
using Platform.Gateway.Clients;
using Platform.Gateway.Commands;
using Platform.Gateway.Commands.Administration;
using Platform.Gateway.Commands.ChangeStreams;
using Platform.Gateway.Commands.Collections;
using Platform.Gateway.Commands.Execution;
using Platform.Gateway.Commands.Handshake;
using Platform.Gateway.Commands.Indexes;
using Platform.Gateway.Commands.Queries;
using Platform.Gateway.Commands.Sessions;
using Platform.Gateway.Commands.Writes;
using Platform.Gateway.Connections;
using Platform.Gateway.Corrections;
using Platform.Gateway.Cursors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Profiling;
using Platform.Gateway.Replication;
using Platform.Gateway.Sessions;
using Platform.Gateway.Settings;
using Platform.Gateway.Sockets;
using Platform.Gateway.Telemetry;
using Platform.Gateway.Topology;

namespace Platform.Gateway;

/// <summary>Puts the gateway together.</summary>
internal static class GatewayApplication
{
    /// <summary>
    /// Builds the application from the configuration. Throws <see cref="OptionsValidationException"/> with one sentence
    /// per wrong setting.
    /// </summary>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        // As the server's own switches are named.
        builder.Configuration.AddCommandLine(args, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["--bind"] = "Gateway:BindAddress", ["--bind_ip"] = "Gateway:BindAddress", ["--port"] = "Gateway:Port", ["--replSet"] = "Gateway:ReplicaSet",
        });
        builder.AddServiceDefaults();
        // Listened on below, together with the MongoDB port; left here, the server would warn that it ignores them.
        // An empty text would make it fall back to the environment, an empty list does not.
        var urls = builder.Configuration[WebHostDefaults.ServerUrlsKey] ?? "";
        builder.WebHost.UseSetting(WebHostDefaults.ServerUrlsKey, ";");

        builder.WebHost.UseSockets(static sockets =>
        {
            // Bytes that arrive are worked on by the thread that received them: a hand-over costs more than most commands.
            sockets.UnsafePreferInlineScheduling = true;
            // A buffer of 4 kB for each idle connection saves a system call for each message.
            sockets.WaitForDataBeforeAllocatingBuffer = false;
        });

        var services = builder.Services;
        services.AddOptions<GatewayOptions>().BindSettings(GatewayOptions.Section);
        services.AddSingleton<IValidateOptions<GatewayOptions>, GatewayOptionsValidation>();
        services.PostConfigure<GatewayOptions>(static options => options.TakeHost());
        // Started before all others, and stopped after them: what they do is recorded.
        services.AddSingleton<Auditor>();
        services.AddHostedService(static s => s.GetRequiredService<Auditor>());
        services.AddSingleton(CreateSource);
        services.AddSingleton<MemberState>();
        services.AddSingleton<LogicalClock>();
        services.AddSingleton<ReplicaSet>();
        services.AddSingleton<ReplicaSetStatus>();
        services.AddSingleton<BusyWait>();
        services.AddSingleton<BackendPool>();
        services.AddSingleton<BackendStartup>();
        services.AddSingleton<PrimaryBackend>();
        services.AddSingleton<ChangeHistory>();
        services.AddSingleton<WatchedImages>();
        services.AddSingleton<Oplog>();
        services.AddSingleton<ChangeStreamCommands>();
        services.AddSingleton<CursorStore>();
        services.AddSingleton<HeldCursors>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<LoginThrottle>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton<UserChanges>();
        services.AddSingleton<UserWatch>();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<HelloStream>();
        services.AddSingleton<ICommandFamily, HandshakeCommands>();
        services.AddSingleton<ICommandFamily, QueryCommands>();
        services.AddSingleton<TimeSeriesCatalogue>();
        services.AddSingleton<WriteCommands>();
        services.AddSingleton<ICommandFamily>(static s => s.GetRequiredService<WriteCommands>());
        services.AddSingleton<ICommandFamily, CollectionCommands>();
        services.AddSingleton<ICommandFamily, IndexCommands>();
        services.AddSingleton<ICommandFamily, SessionCommands>();
        services.AddSingleton<ICommandFamily, UserCommands>();
        services.AddSingleton<ICommandFamily, RoleCommands>();
        services.AddSingleton<ICommandFamily, ServerCommands>();
        services.AddSingleton<ICommandFamily, ReplicaSetCommands>();
        services.AddSingleton<ICommandFamily, ExplainCommands>();
        services.AddSingleton<ICommandFamily, ProfileCommands>();
        services.AddSingleton<ICommandFamily, BulkWriteCommands>();
        services.AddSingleton<RecentLog>();
        services.AddSingleton<ILoggerProvider>(static s => s.GetRequiredService<RecentLog>());
        services.AddSingleton<Profiler>();
        services.AddSingleton<PlanSource>(ExplainCommands.ProfileAsync);
        services.AddSingleton<CommandTable>();
        services.AddSingleton<CommitPoint>();
        services.AddSingleton<ClusterTimeWaiter>();
        services.AddSingleton<IMessageHandler, LogPosition>();
        services.AddSingleton<PromiseKeeper>();
        services.AddSingleton<CommandExecutor>();
        services.AddSingleton<ClientRegistry>();
        services.AddSingleton<MongoConnectionHandler>();
        services.AddSingleton<TlsHandshakes>();
        AddReplication(services);
        services.AddHostedService<BackendMonitor>();
        services.AddHostedService<RoleWatch>();
        services.AddHostedService<Sweeper>();
        services.AddHostedService<OplogKeeper>();
        services.AddHostedService<ProfileWriter>();
        services.AddHealthChecks().AddCheck<BackendHealthCheck>("engine").AddCheck<AuditHealthCheck>("audit");
        services.AddOptions<HostOptions>().Configure<IOptions<GatewayOptions>>(
            static (host, gateway) => host.ShutdownTimeout = gateway.Value.DrainTimeout);
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<GatewayOptions>, TlsHandshakes>(
            (kestrel, gateway, handshakes) => Listen(kestrel, gateway.Value, handshakes, urls));

        var app = builder.Build();
        app.CheckSettings();
        // Reading the options checks them, before anything is opened.
        _ = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value;
        _ = app.Services.GetRequiredService<PostgresSettings>();

        var metrics = app.Services.GetRequiredService<GatewayMetrics>();
        var cursors = app.Services.GetRequiredService<CursorStore>();
        var sessions = app.Services.GetRequiredService<SessionStore>();
        var pool = app.Services.GetRequiredService<BackendPool>();
        metrics.Traces = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.Traces
            ?? !string.IsNullOrWhiteSpace(builder.Configuration[ServiceDefaultsExtensions.OtlpEndpointKey]);
        metrics.Cursors = () => cursors.Count;
        metrics.Transactions = () => sessions.OpenTransactions;
        metrics.BackendConnections = () => pool.InUse;
        app.Lifetime.ApplicationStopping.Register(app.Services.GetRequiredService<MemberState>().Stop);

        app.UseHttpDefaults();
        app.MapDefaultEndpoints();
        return app;
    }

    private static void AddReplication(IServiceCollection services)
    {
        services.AddSingleton<IMemberMessages, MemberMessages>();
        services.AddSingleton<PostgresServer>();
        services.AddSingleton<LocalDatabase>();
        services.AddSingleton<Fence>();
        services.AddSingleton<Heartbeats>();
        services.AddSingleton<MemberLife>();
        services.AddSingleton<Election>();
        services.AddSingleton<MemberService>();
        services.AddSingleton<IMessageHandler>(static s => s.GetRequiredService<Heartbeats>());
        services.AddSingleton<IMessageHandler>(static s => s.GetRequiredService<Election>());
        // Stopped in the opposite order: the others hear of this member until its PostgreSQL has ended.
        services.AddHostedService<MemberListener>();
        services.AddHostedService(static s => s.GetRequiredService<Heartbeats>());
        services.AddHostedService(static s => s.GetRequiredService<MemberService>());
    }

    /// <summary>Opens the ports, prepares the backend and serves until the application is stopped.</summary>
    public static async Task RunAsync(WebApplication app, CancellationToken cancellationToken)
    {
        await StartAsync(app, cancellationToken);
        await app.WaitForShutdownAsync(cancellationToken);
        await app.Services.GetRequiredService<SessionStore>().AbortAllAsync();
    }

    /// <summary>Opens the ports and prepares the backend; clients that come before it is ready are told to wait.</summary>
    public static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        var isManaged = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.IsManaged;
        if (isManaged)
        {
            await app.Services.GetRequiredService<PostgresServer>().UnlockAsync(cancellationToken);
        }

        await app.StartAsync(cancellationToken);
        if (isManaged)
        {
            // The member finds out what it is, together with the others.
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, app.Lifetime.ApplicationStopping);
        await app.Services.GetRequiredService<BackendStartup>().PrepareAsync(ended.Token);
    }

    private static PostgresSettings CreateSource(IServiceProvider services)
    {
        var settings = services.GetRequiredService<IOptions<GatewayOptions>>().Value;
        if (settings.IsManaged)
        {
            return PostgresSettings.Parse(LocalDatabase.ConnectionString(settings, settings.Member));
        }

        var text = services.GetRequiredService<IConfiguration>().GetConnectionString(SettingNames.Postgres);
        if (string.IsNullOrWhiteSpace(text))
        {
            throw new OptionsValidationException("ConnectionStrings", typeof(string), ["ConnectionStrings:postgres is missing."]);
        }

        try
        {
            return PostgresSettings.Parse(text);
        }
        catch (ArgumentException e)
        {
            throw new OptionsValidationException(
                "ConnectionStrings", typeof(string), [$"ConnectionStrings:postgres is not a usable PostgreSQL connection string: {e.Message}"]);
        }
    }

    /// <summary>
    /// The MongoDB port, and the HTTP addresses of ASPNETCORE_URLS again: listening explicitly makes the server ignore them.
    /// </summary>
    private static void Listen(KestrelServerOptions kestrel, GatewayOptions settings, TlsHandshakes handshakes, string urls)
    {
        kestrel.AddServerHeader = false;
        kestrel.Listen(IPAddress.Parse(settings.BindAddress), settings.Port, mongo =>
        {
            if (settings.TlsCertificateFile is { Length: > 0 })
            {
                handshakes.Use(mongo);
            }

            mongo.UseConnectionHandler<MongoConnectionHandler>();
        });
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var address = BindingAddress.Parse(url);
            if (address.Scheme != Uri.UriSchemeHttp)
            {
                throw new OptionsValidationException(
                    "urls", typeof(string), [$"ASPNETCORE_URLS has '{url}': only http addresses are served, for health checks."]);
            }

            if (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip))
            {
                kestrel.Listen(ip, address.Port);
            }
            else if (address.Host == "localhost")
            {
                kestrel.ListenLocalhost(address.Port);
            }
            else
            {
                kestrel.ListenAnyIP(address.Port);
            }
        }
    }
}
