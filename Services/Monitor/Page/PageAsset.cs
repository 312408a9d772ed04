using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Platform.Monitor.Page;

/// <summary>A file of the page, which is a part of the program.</summary>
/// <param name="Path">Where it is found.</param>
/// <param name="Name">Its name among the program's resources.</param>
/// <param name="ContentType">What it is.</param>
internal sealed record PageAsset(string Path, string Name, string ContentType)
{
    private byte[]? _content;
    private EntityTagHeaderValue? _tag;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PageAsset> All { get; } =
    [
        new("/", "index.html", "text/html; charset=utf-8"),
        new("/assets/page.css", "page.css", "text/css; charset=utf-8"),
        new("/assets/page.js", "page.js", "text/javascript; charset=utf-8"),
        new("/assets/uplot.css", "uplot.css", "text/css; charset=utf-8"),
        new("/assets/uplot.js", "uplot.js", "text/javascript; charset=utf-8"),
    ];

    /// <summary>Answers with it, or with 304 to who has it already.</summary>
    public IResult Answer()
    {
        _content ??= Read();
        _tag ??= new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(_content))[..16]}\"");
        return Results.Bytes(_content, ContentType, entityTag: _tag);
    }

    private byte[] Read()
    {
        using var resource = typeof(PageAsset).Assembly.GetManifestResourceStream(Name)
            ?? throw new InvalidOperationException($"The program lacks its resource {Name}.");
        var content = new byte[resource.Length];
        resource.ReadExactly(content);
        return content;
    }
}
