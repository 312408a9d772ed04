using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Platform.Api.OpenApi;

/// <summary>
/// What the document says about a parameter that the endpoint reads as text, which it does to name every wrong
/// parameter at once. Attached to endpoints as metadata.
/// </summary>
/// <param name="Name">The parameter's name.</param>
/// <param name="Schema">Its values.</param>
/// <param name="Required">Whether it must be sent.</param>
internal sealed record ParameterSchema(string Name, OpenApiSchema Schema, bool Required)
{
    public static ParameterSchema Id(string name, bool required = true) =>
        new(name, new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[0-9a-fA-F]{24}$" }, required);

    public static ParameterSchema Day(string name) =>
        new(name, new OpenApiSchema { Type = JsonSchemaType.String, Format = "date" }, Required: false);

    public static ParameterSchema Amount(string name) =>
        new(name, new OpenApiSchema { Type = JsonSchemaType.Number, Minimum = "0" }, Required: false);

    public static ParameterSchema Whole(string name, int min, int max, int absent) => new(
        name,
        new OpenApiSchema
        {
            Type = JsonSchemaType.Integer,
            Format = "int32",
            Minimum = Text(min),
            Maximum = Text(max),
            Default = JsonValue.Create(absent),
        },
        Required: false);

    public static ParameterSchema Number(
        string name, double min, double max, bool required = false, double? absent = null) => new(
        name,
        new OpenApiSchema
        {
            Type = JsonSchemaType.Number,
            Format = "double",
            Minimum = Text(min),
            Maximum = Text(max),
            Default = absent is { } value ? JsonValue.Create(value) : null,
        },
        required);

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
