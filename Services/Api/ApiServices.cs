using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.Api.Caching;
using Platform.Api.Callers;
using Platform.Api.Events;
using Platform.Api.Limits;
using Platform.Api.Migrations;
using Platform.Api.OpenApi;
using Platform.Api.Orders;
using Platform.Api.Paging;
using Platform.Api.Problems;
using Platform.Api.Products;
using Platform.Api.Reports;
using Platform.Api.Stores;
using Platform.Api.Tenants;
using Platform.Api.Warming;
using Platform.Data.Events;
using Platform.Data.Tenancy;
using Platform.Mongo.Connections;
using Platform.Mongo.Leases;
using Platform.ServiceDefaults.Http;

namespace Platform.Api;

/// <summary>What the API is made of.</summary>
internal static class ApiServices
{
    // Orders are the largest bodies: 100 lines of about 70 bytes.
    private const long MaxRequestBodyBytes = 64 * 1024;

    private static readonly TimeSpan s_requestTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_databaseTimeout = TimeSpan.FromSeconds(3);

    public static void AddApi(this WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.AddPlatformData(mongo =>
        {
            // A caller is better served by a quick 503 than by half a minute of waiting.
            mongo.ServerSelectionTimeout = s_databaseTimeout;
            mongo.ConnectTimeout = s_databaseTimeout;
        });
        builder.AddFieldEncryption();
        builder.AddTargetingGuard();
        builder.Services.AddHostedService<DatabaseStartupService>();
        builder.AddDataCaches();
        builder.AddMigrationCheck();

        builder.Services.AddOptions<PagingOptions>()
            .BindSettings(PagingOptions.Section)
            .Validate(
                options => options.CursorKey.Length >= PagingOptions.MinKeyLength,
                $"{PagingOptions.Section}:{nameof(PagingOptions.CursorKey)} must be a secret of at least "
                + $"{PagingOptions.MinKeyLength} characters, the same for all processes of a deployment.")
            .ValidateOnStart();
        builder.Services.AddSingleton<PageCursors>();

        builder.Services.AddSingleton<ITenantDirectory, TenantDirectory>();
        builder.Services.AddSingleton<IProductCatalogue, ProductCatalogue>();
        builder.Services.AddSingleton<ProductPages>();
        builder.Services.AddSingleton<IStoreFinder, StoreFinder>();
        builder.Services.AddSingleton<IOrderBook, OrderBook>();
        builder.Services.AddSingleton<IReports, EventReports>();

        builder.Services.AddSingleton<EventOutbox>();
        builder.Services.AddSingleton<OutboxDelivery>();
        builder.Services.AddSingleton<OutboxWriter>();
        builder.Services.AddSingleton<OutboxMetrics>();
        builder.Services.AddSingleton<ILeaseStore>(
            services => new MongoLeaseStore(services.GetRequiredService<PlatformDatabase>().Database));
        builder.Services.AddSingleton<OutboxRelay>();
        builder.Services.AddHostedService(services => services.GetRequiredService<OutboxRelay>());
        builder.Services.AddHostedService<DataChanges>();
        builder.Services.AddHostedService<CacheWarming>();

        // Numbers are numbers, also in the document, which else allows strings.
        builder.Services.ConfigureHttpJsonOptions(
            json => json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict);
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<ExceptionProblems>();
        builder.Services.AddApiDocument();
        builder.AddCallers();
        builder.Services.AddRequestLimits();
        builder.Services.AddRequestTimeouts(options => options.DefaultPolicy = new RequestTimeoutPolicy
        {
            Timeout = s_requestTimeout,
            TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable,
            WriteTimeoutResponse = ExceptionProblems.WriteTimeoutAsync,
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxRequestBodyBytes;
            kestrel.AddServerHeader = false;
        });
        builder.RenewCertificate();
    }

    // Kestrel reads a renewed certificate by itself for endpoints of its own section alone, and not for those of ASPNETCORE_URLS.
    private static void RenewCertificate(this WebApplicationBuilder builder)
    {
        var certificate = builder.Configuration.GetSection("Kestrel:Certificates:Default");
        if (certificate["Path"] is not { } file || certificate["KeyPath"] is not { } keyFile)
        {
            return;
        }

        builder.Services.AddSingleton(services => new RenewedCertificate(
            file, keyFile, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<RenewedCertificate>>()));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https =>
            https.ServerCertificateSelector = (_, _) => kestrel.ApplicationServices.GetRequiredService<RenewedCertificate>().Current()));
    }

    public static void UseApi(this WebApplication app)
    {
        app.UseProxies();
        app.UseHttpDefaults(static answers =>
        {
            answers.UseExceptionHandler();
            answers.UseStatusCodePages(StatusProblems.WriteAsync);
        });
        app.UseCallers();
        app.UseRateLimiter();
        app.UseRoles();
        app.UseRequestTimeouts();
        // Whatever of it is left when the request comes to the database.
        app.Use(static async (http, next) =>
        {
            MongoDeadline.Set(s_requestTimeout);
            await next(http);
        });
    }

    private static void AddMigrationCheck(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<MigrationCheckOptions>()
            .BindSettings(MigrationCheckOptions.Section)
            .ValidateLimits(MigrationCheckOptions.Section);
        builder.Services.AddSingleton<IRecordedMigrations, RecordedMigrations>();
        builder.Services.AddSingleton<MigrationHealthCheck>();
        builder.Services.AddHealthChecks().AddCheck<MigrationHealthCheck>(MigrationHealthCheck.Name, HealthStatus.Unhealthy);
    }
}
