-- What a release says of itself, each field as a piece of JSON, in the order
-- in which the JSON API lists them (project_json.c has their names).
--
-- takes: normalized_name text, canonical text
-- gives: author text, author_email text, classifiers text, description text, description_content_type text, download_url text, dynamic text, home_page text, keywords text, license text, license_expression text, license_files text, maintainer text, maintainer_email text, platform text, project_urls text, provides_extra text, requires_dist text, requires_python text, summary text
-- rows:  maybe
SELECT coalesce(m->'author', '""')::text AS author,
       coalesce(m->'author_email', '""')::text AS author_email,
       coalesce(m->'classifiers', '[]')::text AS classifiers,
       coalesce(m->'description', '""')::text AS description,
       coalesce(m->'description_content_type', 'null')::text
           AS description_content_type,
       coalesce(m->'download_url', '""')::text AS download_url,
       coalesce(m->'dynamic', 'null')::text AS dynamic,
       coalesce(m->'home_page', '""')::text AS home_page,
       to_jsonb(coalesce((
           SELECT string_agg(k, ',')
             FROM jsonb_array_elements_text(m->'keywords') AS k
       ), ''))::text AS keywords,
       coalesce(m->'license', '""')::text AS license,
       coalesce(m->'license_expression', 'null')::text AS license_expression,
       coalesce(m->'license_file', 'null')::text AS license_files,
       coalesce(m->'maintainer', '""')::text AS maintainer,
       coalesce(m->'maintainer_email', '""')::text AS maintainer_email,
       to_jsonb(coalesce((
           SELECT string_agg(p, ',')
             FROM jsonb_array_elements_text(m->'platform') AS p
       ), ''))::text AS platform,
       coalesce((
           SELECT jsonb_object_agg(trim(split_part(u, ',', 1)),
                                   trim(substr(u, strpos(u, ',') + 1)))
             FROM jsonb_array_elements_text(m->'project_urls') AS u
       ), 'null')::text AS project_urls,
       coalesce(m->'provides_extra', 'null')::text AS provides_extra,
       coalesce(m->'requires_dist', 'null')::text AS requires_dist,
       coalesce(m->'requires_python', '""')::text AS requires_python,
       coalesce(m->'summary', '""')::text AS summary
  FROM (
    SELECT r.metadata AS m
      FROM release r
      JOIN project p ON p.id = r.project_id
     WHERE p.normalized_name = $1
       AND r.canonical = $2
  ) AS release;
