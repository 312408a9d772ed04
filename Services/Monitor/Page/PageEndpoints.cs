using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Audit;
using Platform.Monitor.Alerting;
using Platform.Monitor.Panels;
using Platform.Monitor.Prometheus;
using Platform.Monitor.Queries;
using Platform.Monitor.Settings;
using Platform.Monitor.Watchers;
using Platform.Monitoring;
using Platform.ServiceDefaults;
using Platform.ServiceDefaults.Http;

namespace Platform.Monitor.Page;

/// <summary>The monitor's page, and what it shows: for callers on this machine that have the login.</summary>
internal static class PageEndpoints
{
    private const int MaxRows = 200;
    private const int MaxBody = 16 * 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly PagePolicy s_policy = new(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'");

    /// <summary>Registers what the endpoints need.</summary>
    public static void AddPage(this IServiceCollection services)
    {
        // What a client sent wrong is its fault, and no page of ours.
        services.Configure<RouteHandlerOptions>(handlers => handlers.ThrowOnBadRequest = false);
        services.AddOptions<AuditSettings>()
            .BindSettings(SettingNames.Audit)
            .ValidateLimits(SettingNames.Audit)
            .Validate(settings => !settings.Mistakes(SettingNames.Audit).Any(), $"{SettingNames.Audit}:Directory and KeyDirectory must be full paths, apart.");
        services.AddSingleton<PageAudit>();
        services.AddSingleton<PanelReader>();
        services.AddSingleton(provider => new AlertmanagerClient(provider.GetRequiredService<IOptions<MonitorOptions>>().Value.Alertmanager, s_patience));
    }

    /// <summary>Maps the page where there is a login, and both of whom it asks.</summary>
    public static void MapPage(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<MonitorOptions>>().Value;
        if (options.PagePassword.Length == 0 || options.Prometheus.Length == 0 || options.Alertmanager.Length == 0)
        {
            return;
        }

        var login = new PageLogin(options.PagePassword);
        var page = app.MapGroup("").ExcludeFromDescription().WithMetadata(s_policy);
        foreach (var asset in PageAsset.All)
        {
            page.MapGet(asset.Path, asset.Answer);
        }

        page.MapGet("/data/overview", OverviewAsync);
        page.MapGet("/data/sections", () => Answer(PanelCatalogue.Sections.Select(section => new { section.Id, section.Title })));
        page.MapGet("/data/sections/{id}", SectionAsync);
        page.MapGet(QueryPaths.Top, (SlowQueryLog log, int? most) => Answer(log.Top(Rows(most))));
        page.MapGet(QueryPaths.Latest, (SlowQueryLog log, int? most) => Answer(log.Latest(Rows(most))));
        page.MapGet($"{QueryPaths.Shape}/{{id}}", (SlowQueryLog log, string id) => log.Find(id) is { } shape ? Answer(shape) : Results.NotFound());
        page.MapPost("/data/silences", SilenceAsync).WithMetadata(new RequestSizeLimitAttribute(MaxBody));
        page.MapDelete("/data/silences/{id:guid}", (Guid id, AlertmanagerClient alertmanager, PageAudit audit, CancellationToken cancellationToken) =>
            audit.RunAsync(AlertEvents.Unsilence, [id.ToString()], () => AskedAsync(
                async () => await alertmanager.UnsilenceAsync(id, cancellationToken) ? Results.NoContent() : Results.NotFound())));
        login.Guard(page);
        LoopbackOnly.Apply(page);
    }

    private static async Task<IResult> OverviewAsync(
        PanelReader panels, AlertmanagerClient alertmanager, MonitoringWatch watch, TimeProvider time, CancellationToken cancellationToken)
    {
        var tiles = TriedAsync(panels.TilesAsync());
        var alerts = TriedAsync(alertmanager.AlertsAsync(cancellationToken));
        var silences = TriedAsync(alertmanager.SilencesAsync(cancellationToken));
        var (state, headline, detail) = Overview.Judge(watch.Current, await alerts, await tiles is not null);
        return Answer(new Overview(
            state, headline, detail, time.GetUtcNow(), watch.LastHeartbeat, [.. (await alerts ?? []).Where(alert => !alert.IsOwn)], await silences ?? [],
            await tiles ?? []));
    }

    private static async Task<IResult> SectionAsync(string id, string? range, PanelReader panels)
    {
        var section = PanelCatalogue.Sections.FirstOrDefault(one => one.Id == id);
        return section is null ? Results.NotFound()
            : !PanelReader.Ranges.ContainsKey(range ?? "1h") ? Wrong($"'range' must be one of {string.Join(", ", PanelReader.Ranges.Keys)}.")
            : await AskedAsync(async () => Answer(await panels.SectionAsync(section, range ?? "1h")));
    }

    private static async Task<IResult> SilenceAsync(
        SilenceRequest request, AlertmanagerClient alertmanager, PageAudit audit, TimeProvider time, CancellationToken cancellationToken)
    {
        if (request.Problem() is { } problem)
        {
            return Wrong(problem);
        }

        var matchers = request.Matchers();
        var (now, until) = (time.GetUtcNow(), time.GetUtcNow() + TimeSpan.FromHours(request.Hours));
        var comment = string.IsNullOrWhiteSpace(request.Comment) ? "by the monitor's page" : request.Comment;
        string[] arguments = [.. matchers.Select(matcher => matcher.ToString()), $"until {until:O}", comment];
        return await audit.RunAsync(AlertEvents.Silence, arguments, () => AskedAsync(async () => Answer(new
        {
            Id = await alertmanager.SilenceAsync(matchers, now, until, MonitorPaths.User, comment, cancellationToken),
        })));
    }

    private static async Task<IResult> AskedAsync(Func<Task<IResult>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception exception) when (exception is PrometheusException or HttpRequestException or OperationCanceledException or JsonException)
        {
            var who = exception is PrometheusException ? exception.Message : "Alertmanager does not answer, or refuses.";
            return Results.Problem(statusCode: StatusCodes.Status502BadGateway, title: who);
        }
    }

    // Null: it does not answer.
    private static async Task<T?> TriedAsync<T>(Task<T> question)
        where T : class
    {
        try
        {
            return await question;
        }
        catch (Exception exception) when (exception is PrometheusException or HttpRequestException or OperationCanceledException or JsonException)
        {
            return null;
        }
    }

    private static IResult Answer<T>(T value) => Results.Json(value, s_json);

    private static IResult Wrong(string problem) => Results.Problem(statusCode: StatusCodes.Status400BadRequest, title: problem);

    private static int Rows(int? most) => Math.Clamp(most ?? 50, 1, MaxRows);
}
